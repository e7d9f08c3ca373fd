"""Makes a DOCX or PPTX the same bytes every time: fixed dates in the archive and in the workbooks inside it."""

from __future__ import annotations

import io
import re
import zipfile

_DATE = (2026, 1, 5, 9, 0, 0)
_STAMP = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")


def stable(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith(".xlsx"):
                content = stable(content)
            elif name == "docProps/core.xml":
                content = _STAMP.sub(rb"\g<1>2026-01-05T09:00:00Z\g<3>", content)
            member = zipfile.ZipInfo(name, _DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(member, content)
    return out.getvalue()
