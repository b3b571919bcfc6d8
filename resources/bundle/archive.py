"""The archive of the bundle, and the checksums of what is published."""

import hashlib
import subprocess
import tarfile
from pathlib import Path


def pack(bundle: Path, archive: Path, epoch: int) -> None:
    """Write the folder `bundle` to the `.tar.xz` file `archive`. Needs the program `xz`.

    All files get the time `epoch` (seconds since 1970) and belong to root, so that the same content gives the
    same archive.
    """

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        member.mtime = epoch
        return member

    archive.parent.mkdir(parents=True, exist_ok=True)
    tar_file = archive.with_suffix("")
    with tarfile.open(tar_file, "w") as tar:
        tar.add(bundle, tar_file.stem, filter=anonymous)  # in the order of the names
    # The filter for machine code saves 4 MB; two threads take a block each.
    filters = ["--x86", "--lzma2=preset=6,dict=64MiB", "--block-size=128MiB", "--threads=2"]
    subprocess.run(["xz", "--force", *filters, str(tar_file)], check=True)


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack `archive` into `folder`, and return the folder of the bundle in it."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.xz")


def write_checksums(folder: Path) -> Path:
    """Write `SHA256SUMS` for the other files of `folder`, in the form of the program sha256sum."""
    target = folder / "SHA256SUMS"
    files = sorted(path for path in folder.iterdir() if path.is_file() and path != target)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    target.write_text("".join(lines), encoding="utf-8")
    return target
