"""The journal records of an operation: JSON documents of entries and bills. Pure.

A change is laid over the document of the version that it is based on, so that keys which this version of the
program does not know are kept. From the same base it produces the same text at every server, so that an
operation can be replayed at another server.
"""

from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from server.contract.shapes import CreateEntry, EditEntry, NewDocument, VoidEntry
from server.journal.append import Operation, Record
from server.tokens.tokens import Identity

_CENTS: Final = Decimal("0.01")
Doc = dict[str, Any]


def create_operation(identity: Identity, body: CreateEntry) -> Operation:
    """Return the operation that creates an entry with its bills."""
    entry = _fields(body) | {"humanCode": body.human_code, "createdVer": body.ver}
    records = [_record("entry", body.id, entry, creates=True)]
    records += [new_document(body.id, body.ver, document) for document in body.documents]
    return _operation(identity, body.op_id, body.ver, records)


def edit_operation(
    identity: Identity, entry_id: str, base: Doc, body: EditEntry, removed: dict[str, Doc]
) -> Operation:
    """Return the operation of an edit. `removed` maps the ids of removed bills to their journal documents."""
    entry = base | _fields(body) | {"basedOn": body.based_on}
    records = [_record("entry", entry_id, entry)]
    records += [new_document(entry_id, body.ver, document) for document in body.add_documents]
    records += [_record("document", id_, doc | {"voidedVer": body.ver}) for id_, doc in removed.items()]
    return _operation(identity, body.op_id, body.ver, records)


def void_operation(identity: Identity, entry_id: str, base: Doc, body: VoidEntry) -> Operation:
    """Return the operation that voids an entry."""
    entry = base | {"voidedVer": body.ver, "basedOn": body.based_on}
    return _operation(identity, body.op_id, body.ver, [_record("entry", entry_id, entry)])


def restore_operation(identity: Identity, entry_id: str, base: Doc, body: VoidEntry) -> Operation:
    """Return the operation that restores a voided entry."""
    # An entry is voided if its document has this key.
    entry = {key: value for key, value in base.items() if key != "voidedVer"} | {"basedOn": body.based_on}
    return _operation(identity, body.op_id, body.ver, [_record("entry", entry_id, entry)])


def new_document(entry_id: str, ver: int, document: NewDocument) -> Record:
    """Return the record of a bill that is added to an entry."""
    doc = {
        "entryId": entry_id,
        "docCode": document.doc_code,
        "fileName": document.file_name,
        "mediaType": document.media_type,
        "byteSize": document.byte_size,
        "sha256": document.sha256,
        "createdVer": ver,
    }
    return _record("document", document.id, doc, creates=True)


def two_places(amount: str) -> str:
    """Return an amount in the form of the journal, with two decimal places."""
    return str(Decimal(amount).quantize(_CENTS))


def _fields(body: CreateEntry | EditEntry) -> Doc:
    return {
        "entryDate": body.entry_date,
        "amount": two_places(body.amount),
        "crDr": body.cr_dr,
        "currency": body.currency,
        "category": body.category,
        "description": body.description,
    }


def _record(kind: str, id_: str, doc: Doc, *, creates: bool = False) -> Record:
    # Sorted keys: the text must be the same at every server, see above.
    text = msgspec.json.encode(doc, order="deterministic").decode()
    return Record(kind, UUID(id_), text, creates)


def _operation(identity: Identity, op_id: str, ver: int, records: list[Record]) -> Operation:
    return Operation(
        book_id=identity.book_id,
        op_id=UUID(op_id),
        ver=ver,
        author=identity.user_id,
        device=identity.device_id,
        records=tuple(records),
    )
