"""The text of a PDF, a page a line: line 3 of its note is page 3, so that a citation names the page."""

from __future__ import annotations

import io
import logging
import re
import time
from collections.abc import Iterator

from vaultrag.domain import Block, BlockKind, Note
from vaultrag.errors import VaultError
from vaultrag.vault.parsing.lines import Lines

PDF_SUFFIX = ".pdf"
MAX_PDF_BYTES = 50_000_000  # a scanned book; its text is a hundredth of that
MAX_PAGES = 2000
MAX_SECONDS = 60.0  # for one file: a page takes some 30 ms; one that takes minutes was made to
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad]\n(?=[^\W\d_])")
_SPACE = re.compile(r"\s+")


def is_pdf(path: str) -> bool:
    return path.lower().endswith(PDF_SUFFIX)


def pdf_text(content: bytes, name: str) -> str:
    """Return the text of a PDF, a page a line. Raises VaultError where there is none to be had."""
    try:
        return "\n".join(_pages(content, name))
    except VaultError:
        raise
    except ImportError as error:
        raise VaultError(
            f"{name} cannot be read: the package pypdf is not installed.", "Run scripts/quickstart again."
        ) from error
    except Exception as error:
        # A PDF is untrusted, and the library has many ways to fail at one.
        raise VaultError(
            f"{name} cannot be read as a PDF ({type(error).__name__}).",
            "Open and save it anew, or exclude it: `vault.ignore`, `vault.pdf`.",
        ) from error


def parse_pages(path: str, text: str, content_hash: str) -> Note:
    """Parse what `pdf_text` gave: each page is a paragraph."""
    lines = Lines(text)
    places = zip(lines.starts, lines.ends, strict=True)
    blocks = tuple(Block(BlockKind.PARAGRAPH, start, end, ()) for start, end in places if text[start:end].strip())
    title = path.rpartition("/")[2].rpartition(".")[0]
    problems = () if blocks else ("The PDF holds no text; pictures of text are not read.",)
    return Note(path=path, title=title, text=text, blocks=blocks, content_hash=content_hash, problems=problems)


def _pages(content: bytes, name: str) -> Iterator[str]:
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it reports every oddity, and quotes the text
    deadline = time.monotonic() + MAX_SECONDS
    document = pypdf.PdfReader(io.BytesIO(content))
    if document.is_encrypted and not document.decrypt(""):
        raise VaultError(f"{name} is locked by a password.", "Save it without the password, or leave it as it is.")
    if len(document.pages) > MAX_PAGES:
        raise VaultError(f"{name} has more than {MAX_PAGES} pages.", "Split it, or exclude it: `vault.ignore`.")
    for page in document.pages:
        if time.monotonic() > deadline:
            raise VaultError(f"{name} takes more than {MAX_SECONDS:.0f} s to read.", "Exclude it: `vault.ignore`.")
        yield _SPACE.sub(" ", _HYPHEN.sub("", page.extract_text())).strip()
