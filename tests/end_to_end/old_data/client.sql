BEGIN TRANSACTION;
CREATE TABLE bill_counter (
        book_id TEXT NOT NULL, stem TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (book_id, stem)
    );
INSERT INTO "bill_counter" VALUES('f6ebae26-7820-4eb1-bea7-c17961eda250','2N-000001',1);
INSERT INTO "bill_counter" VALUES('f6ebae26-7820-4eb1-bea7-c17961eda250','2N-000002',1);
CREATE TABLE cached_entry (
        book_id TEXT NOT NULL,
        entry_id TEXT NOT NULL,
        entry_date TEXT NOT NULL,
        amount TEXT NOT NULL,
        direction TEXT NOT NULL,
        category TEXT NOT NULL,
        description TEXT NOT NULL,
        human_code TEXT NOT NULL,
        document_count INTEGER NOT NULL,
        voided INTEGER NOT NULL,
        documents TEXT,
        seen INTEGER NOT NULL, ver INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (book_id, entry_id)
    );
INSERT INTO "cached_entry" VALUES('f6ebae26-7820-4eb1-bea7-c17961eda250','01a22470-6353-7933-b450-02fd4d291ec8','2026-11-20','1250.00','DR','Travel','Taxi to the airport','M2N-000001',1,0,'[{"id": "01a22470-6353-7933-a322-1f03cb0d12a5", "doc_code": "2N-000001-1", "file_name": "taxi-receipt.jpg", "media_type": "image/jpeg", "byte_size": 182857, "sha256": "a96cf4430808d5206755daf65094cb146d681842e76b3c59e24a2f8429dd1478"}]',1,1795907674963575);
CREATE TABLE code_counter (
        book_id TEXT NOT NULL, prefix TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (book_id, prefix)
    );
INSERT INTO "code_counter" VALUES('f6ebae26-7820-4eb1-bea7-c17961eda250','M2N',2);
CREATE TABLE draft (book_id TEXT PRIMARY KEY, payload TEXT NOT NULL);
INSERT INTO "draft" VALUES('f6ebae26-7820-4eb1-bea7-c17961eda250','{"date": "22 Nov 2026", "amount": "99.5", "direction": "DR", "category": "Office", "description": "Pens and pa", "attachments": [{"id": "e599e5cc-6ea6-4d53-8c94-86a27cb35edf", "file_name": "stationery-bill.png", "media_type": "image/png", "byte_size": 37214, "sha256": "a430f589d6998e8b45c14f7a6a3bc90b053ab61948f70f68cae91311d5d9f6b6"}]}');
CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        op_id TEXT NOT NULL UNIQUE,
        ver INTEGER NOT NULL,
        book_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        entry_id TEXT NOT NULL,
        human_code TEXT NOT NULL,
        payload TEXT NOT NULL,
        documents TEXT NOT NULL,
        created_us INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        last_error TEXT NOT NULL DEFAULT '',
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'refused'))
    , base TEXT NOT NULL DEFAULT '', voided INTEGER NOT NULL DEFAULT 0);
INSERT INTO "outbox" VALUES(2,'01a22470-63f9-7370-a7b6-b04e026a5239',1795907675129215,'f6ebae26-7820-4eb1-bea7-c17961eda250','create','01a22470-63f9-7370-835a-76c7ab021991','M2N-000002','{"entry_date": "2026-11-21", "amount": "4500.50", "direction": "DR", "category": "Lodging", "description": "Hotel in Pune"}','[{"id": "01a22470-63f9-7370-beb4-45c1ff8bee06", "doc_code": "2N-000002-1", "file_name": "hotel-invoice.pdf", "media_type": "application/pdf", "byte_size": 114531, "sha256": "d94e8355949d58b6d333a598876f0861497b443200ff7b7a2928408e41e12835"}]',1795907675149473,1,'The server cannot be reached just now.','waiting','',0);
INSERT INTO "outbox" VALUES(3,'01a22470-6401-77f7-b115-1b862e503fae',1795907675137498,'f6ebae26-7820-4eb1-bea7-c17961eda250','edit','01a22470-6353-7933-b450-02fd4d291ec8','M2N-000001','{"entry_date": "2026-11-20", "amount": "1205.00", "direction": "DR", "category": "Travel", "description": "Taxi to the airport"}','[{"id": "01a22470-6353-7933-a322-1f03cb0d12a5", "doc_code": "2N-000001-1", "file_name": "taxi-receipt.jpg", "media_type": "image/jpeg", "byte_size": 182857, "sha256": "a96cf4430808d5206755daf65094cb146d681842e76b3c59e24a2f8429dd1478"}]',1795907675157756,0,'','waiting','{"entry": {"id": "01a22470-6353-7933-b450-02fd4d291ec8", "entry_date": "2026-11-20", "amount": "1250.00", "direction": "DR", "category": "Travel", "description": "Taxi to the airport", "human_code": "M2N-000001", "voided": false, "ver": 1795907674963575}, "documents": [{"id": "01a22470-6353-7933-a322-1f03cb0d12a5", "doc_code": "2N-000001-1", "file_name": "taxi-receipt.jpg", "media_type": "image/jpeg", "byte_size": 182857, "sha256": "a96cf4430808d5206755daf65094cb146d681842e76b3c59e24a2f8429dd1478"}]}',0);
CREATE TABLE retained (
        op_id TEXT PRIMARY KEY,
        ver INTEGER NOT NULL,
        book_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        entry_id TEXT NOT NULL,
        human_code TEXT NOT NULL,
        payload TEXT NOT NULL,
        documents TEXT NOT NULL,
        created_us INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        last_error TEXT NOT NULL,
        state TEXT NOT NULL,
        base TEXT NOT NULL,
        voided INTEGER NOT NULL
    );
INSERT INTO "retained" VALUES('01a22470-6353-7933-8a8e-e73a15d26fae',1795907674963575,'f6ebae26-7820-4eb1-bea7-c17961eda250','create','01a22470-6353-7933-b450-02fd4d291ec8','M2N-000001','{"entry_date": "2026-11-20", "amount": "1250.00", "direction": "DR", "category": "Travel", "description": "Taxi to the airport"}','[{"id": "01a22470-6353-7933-a322-1f03cb0d12a5", "doc_code": "2N-000001-1", "file_name": "taxi-receipt.jpg", "media_type": "image/jpeg", "byte_size": 182857, "sha256": "a96cf4430808d5206755daf65094cb146d681842e76b3c59e24a2f8429dd1478"}]',1795907674983833,0,'','waiting','',0);
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "setting" VALUES('device_secret','77_z3TXu3-p45FOtz6CGgvteWh9ZmceQVH1Pg7nIJjw');
INSERT INTO "setting" VALUES('device_id','78e0fcce-1bb5-42a0-bf12-e73905602455');
INSERT INTO "setting" VALUES('roster:7aa764fe260f17de3a0d0ce725ab4a38e5c3a8fb4e6de6aac8183884fd7b9d5a','eyJhbGciOiJFZERTQSIsImtpZCI6IjdhYTc2NGZlMjYwZjE3ZGUiLCJ0eXAiOiJiYWhpLXJvc3RlciJ9.eyJjbHVzdGVyS2V5IjoiaDl2ZGN5LTlDZEo1aEx1ZjhOekhhekNoOTh3c2VuTzJQdFI1bUIxUUVsMCIsInZlcnNpb24iOjUsImlzc3VlZEF0IjoxNzk1OTA3NjYzLCJleHBpcmVzQXQiOjE4Mjc0NDM2NTYsImNlbnRyYWxVcmwiOiJodHRwOi8vMTI3LjAuMC4xOjkiLCJyZWdpb25zIjpbeyJjb2RlIjoiYXAtc291dGgtMSIsImxldHRlciI6Ik0ifSx7ImNvZGUiOiJhcC1zb3V0aGVhc3QtMSIsImxldHRlciI6IlMifV0sInNlcnZlcnMiOlt7ImlkIjoiaW4tbXVtLTEiLCJyZWdpb24iOiJhcC1zb3V0aC0xIiwidXJsIjoiaHR0cDovLzEyNy4wLjAuMTo5Iiwia2V5cyI6W3sia2V5IjoiZVBSZVRFRUFKbmF2cW4taG9pLVRfdUMxS3QtQVcxMTZDQzNKQzJfbE00cyIsInVzZUZyb20iOjAsInVudGlsIjowfV19LHsiaWQiOiJzZy1zaW4tMSIsInJlZ2lvbiI6ImFwLXNvdXRoZWFzdC0xIiwidXJsIjoiaHR0cDovLzEyNy4wLjAuMToxOSIsImtleXMiOlt7ImtleSI6Inc1QVdnLUdVVHF0Q2ZxVlpkS1Y0T0VWaThzMHdSRHhmS1RBTGRwTVJHaG8iLCJ1c2VGcm9tIjowLCJ1bnRpbCI6MH1dfV0sImRpc2NvdmVyeSI6W119._E7XqbofdJCRfWa_6gnpvGZF5QNBjXDty_GNB5ZQxYh0V7vPBsHvGjDKk3DOsoY2oCeDElHwktDn4fL2jxBjAg');
INSERT INTO "setting" VALUES('cluster:http://127.0.0.1:9','7aa764fe260f17de3a0d0ce725ab4a38e5c3a8fb4e6de6aac8183884fd7b9d5a');
INSERT INTO "setting" VALUES('address','http://127.0.0.1:9');
INSERT INTO "setting" VALUES('session','{"address": "http://127.0.0.1:9", "user_name": "asha", "book_id": "f6ebae26-7820-4eb1-bea7-c17961eda250", "code_prefix": "M2N", "server_id": "in-mum-1", "region": "ap-south-1", "server_label": "in-mum-1 · ap-south-1"}');
CREATE TABLE version_clock (id INTEGER PRIMARY KEY CHECK (id = 1), last_ver INTEGER NOT NULL);
INSERT INTO "version_clock" VALUES(1,1795907675137498);
CREATE TABLE whereabouts (
        op_id TEXT PRIMARY KEY,
        book_id TEXT NOT NULL,
        entry_id TEXT NOT NULL,
        ver INTEGER NOT NULL,
        rows TEXT NOT NULL,
        bytes TEXT NOT NULL,
        server TEXT NOT NULL,
        at_us INTEGER NOT NULL,
        region TEXT NOT NULL
    , stay TEXT NOT NULL DEFAULT '');
INSERT INTO "whereabouts" VALUES('01a22470-6353-7933-8a8e-e73a15d26fae','f6ebae26-7820-4eb1-bea7-c17961eda250','01a22470-6353-7933-b450-02fd4d291ec8',1795907674963575,'ap-south-1','ap-south-1','in-mum-1',1795907675091084,'ap-south-1','b05c3dca8df049e5baef0883f54f5d39');
CREATE INDEX outbox_by_book ON outbox (book_id, seq);
CREATE INDEX cached_entry_listed ON cached_entry (book_id, entry_date, entry_id);
CREATE INDEX cached_entry_seen ON cached_entry (book_id, seen, entry_date, entry_id);
CREATE INDEX retained_by_book ON retained (book_id, ver);
CREATE INDEX whereabouts_by_book ON whereabouts (book_id, at_us);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('outbox',3);
PRAGMA user_version = 6;
COMMIT;
