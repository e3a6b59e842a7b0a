"""Finds the page that a link is only another form of: an archive's copy, a visit, a share, a print.

This is less sure than the normal form of a link, so that it serves comparisons alone: no link is stored so, and no id
rests on it. Where a parameter or a part of a path may as well name another page, the link stays as it is.
"""

import re
from urllib.parse import urljoin, urlsplit

from embeddings.runtime import compiled_late

_ARCHIVED = compiled_late(
    r"^https?://web\.archive\.org/web/\d{4,14}(?:[a-z]{2}_)?/(?:https?:/{1,2})?(?=[\w-]+\.)", re.IGNORECASE
)
_TOUCH = re.compile(r"^touch\.(?!(?:com?|org|net|gov|ac|edu)\.[a-z]{2}(?::|$))(?=[^.]+\.)")
_VALUE = r"=(?=[a-z]*\d)(?=\d*[a-z])[0-9a-z]{16,}"  # a shorter one, or digits alone, may number a page
_SESSION = compiled_late(rf";(?:jsessionid|phpsessid|sid){_VALUE}(?=[/;]|$)", re.IGNORECASE)
_DOTS = re.compile(r"/\.\.?(?:/|$)")
_PRINTED = compiled_late(
    r"(?<=/)(?!(?:19|20)\d\d/)((?=[^/]*\d{3})[^/]+|[^/_-]+(?:[_-][^/_-]+){4,})/print/?$", re.IGNORECASE
)
"""The form to print of what an article's number or title names; elsewhere `/print` may be a section of its own."""
_VISIT = compiled_late(
    r"(?:wprov|reflink|int_?cmp|sr_share|traffic_source|\w*clickid|tblci|mibextid|srnd|leadsource|hsctatracking|nocache"
    r"|gaa_\w+)(?:=.*)?|view=print|page=all|feature=(?:share|oembed|youtu\.be)|sh=[0-9a-f]{10,}|"
    rf"(?:phpsessid|jsessionid|aspsessionid\w*|session_?id){_VALUE}",
    re.IGNORECASE,
)
_SHARED = compiled_late(
    r"(?:channel|mod|cid|emc|spref|shared_by|at_[a-z]+)=(?:rss|atom|e?-?mail|newsletter|sms|facebook|fb|twitter|linkedin|"
    r"whatsapp|telegram|reddit|tiktok|instagram|pinterest|share|social|push)",
    re.IGNORECASE,
)
_SCRIPT = compiled_late(r"/?|.*\.(?:php\d?|aspx?|jspx?|cfm|do|cgi|pl)", re.IGNORECASE)
"""Paths that open what their parameters say, `mod=newsletter` among them."""


def plain_form(url: str) -> str:
    """A normalised link without what may say who visits its page and in which form; of an archive, what it archived.

    >>> plain_form("https://touch.example.com/a/./77120/print?channel=push&mod=sport")
    'https://example.com/a/77120?mod=sport'
    >>> plain_form("https://web.archive.org/web/2024/http://example.com/a")
    'https://example.com/a'
    """
    if archived := _ARCHIVED.match(url):
        return f"https://{url[archived.end() :]}"
    parts = urlsplit(url)
    path = re.sub(r"//+", "/", _SESSION.sub("", parts.path))
    if _DOTS.search(path):
        path = urlsplit(urljoin("http://host/", path)).path
    path = _PRINTED.sub(r"\1", path)
    items = (item for item in parts.query.split("&") if item and not _VISIT.fullmatch(item))
    kept = items if _SCRIPT.fullmatch(path) else (item for item in items if not _SHARED.fullmatch(item))
    query = "&".join(kept)
    return f"{parts.scheme}://{_TOUCH.sub('', parts.netloc)}{path}{'?' + query if query else ''}"
