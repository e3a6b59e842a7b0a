"""Decides what an arriving article is: new, a version of a stored one, the same, or an older one.

| it comes with | and replaces | unless |
|---|---|---|
| an `id` | the article of that id in its collection | it is dated earlier |
| a link to a page | the article at any address of it | it is another's (`_is_elsewhere`), or dated earlier |
| neither, from a file | one from a file of that name in like words | another date is given |
| neither, from a line of one | one from that line of such a file, if it is surely corrected | another date is given |
| neither, with title and date | the one of that title, date and source that is surely corrected | several are |
| none of these | nothing | |

Other collections play no part: what they hold changes neither the fate of an arrival nor its id, except for ids in
stores of earlier versions (`_own`).

An earlier version, or a feed's summary of an article held in full, replaces nothing, but what it says about when the
article may be shown holds for that article (`revisions.with_state`). An article that replaces nothing is kept as well.
The same text again without id and link, or at another address of its site, is a duplicate. docs/identity.md explains
this to users.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from embeddings.cleaning.identity import (
    Arrival,
    KnownBy,
    derived_id,
    given_key,
    holds_many,
    host_of,
    is_derived,
    known_by_of,
    page_keys,
    parted,
    possible_ids,
    qualified,
    under_its_text,
    without_link,
)
from embeddings.copies import copies_of, names_of, note_of_copies, of_page, of_text
from embeddings.corpus import Corpus, readable
from embeddings.errors import StoreCorrupt
from embeddings.indexing import fingerprint
from embeddings.revisions import (
    completed,
    dates_agree,
    is_another_article,
    is_correction,
    is_earlier,
    is_revision,
    says_it_corrects,
    with_state,
)
from embeddings.types import Article, Rejected

_SERIES = 20
"""More articles with one title, date and source are a series, in which the title identifies none of them."""


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What an arrival is, and its id."""

    article: Article
    outcome: Literal["added", "updated", "unchanged", "duplicate"]
    known_by: KnownBy = KnownBy()
    note: str = ""
    """What the operator should know about the decision."""


class Arrivals:
    """One run of arrivals: `look_up` a window of them, then `settle` each in order, and say what was sent on."""

    def __init__(self, corpus: Corpus, *, within: tuple[str, ...] | None = None) -> None:
        """`within`: the collections whose articles may be named and withdrawn as copies (None: all)."""
        self._corpus = corpus
        self._within = within
        self._homes: Mapping[str, str] = {}
        """The collection of each stored article that may concern this window."""
        self._sent_to: dict[str, str] = {}
        """The same for articles of this run."""
        self._waiting: dict[str, list[Article]] = {}
        """Sent on in this run but not written yet, so that the corpus does not know them."""
        self._fingerprints: dict[str, str] = {}
        self._texts: dict[tuple[str, str], str] = {}
        """Which article (id) of this run has a text, by collection and version."""
        self._alike: dict[str, list[str]] = {}
        """All articles of this run in any collection, by the version that they were sent with."""
        self._keys: dict[str, tuple[str, ...]] = {}
        """Articles of this run, by what they are known by."""
        self._met: set[str] = set()
        """Ids of this run: articles from earlier in it are replaced by id or address only."""
        self._held: dict[str, str] = {}
        self._known: Mapping[str, tuple[str, ...]] = {}
        self._holders: dict[tuple[str, str], tuple[str, ...]] = {}

    def look_up(self, window: Sequence[Arrival]) -> None:
        """Ask the corpus once for all that this window needs."""
        keys = {key for one in window for key in msgspec.structs.replace(known_by_of(one), pages=()).all()}
        self._known = self._corpus.known(keys)
        self._holders = {}
        collections = {one.article.collection for one in window}
        for collection in collections:
            versions = {one.article.version for one in window if one.article.collection == collection}
            found = self._corpus.holders(versions, collection=collection)
            self._holders |= {(collection, version): names for version, names in found.items()}
        ids = {name for one in window for name in possible_ids(one)}
        ids.update(*self._known.values(), *self._holders.values())
        self._homes = self._corpus.homes(ids)
        here = [name for name, home in self._homes.items() if home in collections]
        self._held = dict(self._corpus.fingerprints(here))

    def settle(self, one: Arrival) -> Settled | Rejected:
        """Decide what an arrival is; the caller reports with `sent` if it sends it on."""
        one = msgspec.structs.replace(one, article=self._called(one))
        settled = self._settled(one) if one.article.text else self._noticed(one)
        if isinstance(settled, Settled):
            self._met.add(settled.article.id)
            held_back = settled.article.status != "usable" or settled.article.embargoed_until is not None
            if _speaks(one) and held_back and not one.copies:
                note = note_of_copies(settled.article, self._copies(settled.article))
                return msgspec.structs.replace(settled, note="; ".join(filter(None, (settled.note, note))))
        return settled

    def followed(self, one: Arrival, settled: Settled) -> Sequence[Settled]:
        """The copies of an article with the arrival's state, if the arrival speaks for copies."""
        if not (one.copies and _speaks(one)) or (one.says_status and settled.article.status != one.article.status):
            return ()  # a state that an earlier arrival does not give the article does not hold for its copies
        said = msgspec.structs.replace(one, article=msgspec.structs.replace(one.article, usage_terms=""))
        note = f"as a copy of {settled.article.id}"
        copies = self._copies(settled.article)
        self._met.update(copy.id for copy in copies)
        return [self._as_state(said, copy, KnownBy(), note=note) for copy in copies]

    def _copies(self, article: Article) -> Sequence[Article]:
        return copies_of(article, text=self._of_text, page=self._of_page, get=self._get, within=self._within)

    def _of_text(self, article: Article) -> Sequence[str]:
        return (*of_text(article, corpus=self._corpus), *self._alike.get(article.version, ()))

    def _of_page(self, article: Article) -> Sequence[str]:
        met = (name for key in page_keys(article.url) for name in self._keys.get(key, ()))
        return (*of_page(article, corpus=self._corpus), *met)

    def sent(self, settled: Settled) -> None:
        """Note an article that is on its way into the corpus."""
        article = settled.article
        self._sent_to[article.id] = article.collection
        self._waiting.setdefault(article.id, []).append(article)
        self._fingerprints[article.id] = fingerprint(article)
        self._texts[article.collection, article.version] = article.id
        self._alike.setdefault(article.version, []).append(article.id)
        for key in settled.known_by.all():
            self._keys[key] = tuple(dict.fromkeys((*self._keys.get(key, ()), article.id)))

    def ended(self, name: str, *, written: bool) -> None:
        """Note that an article is in the corpus now, or was refused."""
        self._waiting[name].pop(0)
        if not written:
            self._fingerprints.pop(name, None)
            self._texts = {text: holder for text, holder in self._texts.items() if holder != name}

    def _called(self, one: Arrival) -> Article:
        """The article with the id that its collection has for it."""
        article = one.article
        if not one.has_id:
            return self._own(article)
        given = parted(article.id)[1]
        held = [given] if self._home(given) == article.collection else self._ids(article, given_key(given))
        if held:
            return msgspec.structs.replace(article, id=held[0])
        if is_derived(article.id) and article.id != derived_id(one, url=article.url):
            # Another collection may have it: the id follows from an address, so that others can derive it.
            return msgspec.structs.replace(article, id=qualified(given, collection=article.collection))
        return self._own(article)

    def _own(self, article: Article) -> Article:
        """The article with an id that no other collection has, as stores of earlier versions may let two have one."""
        if self._home(article.id) in {None, article.collection}:
            return article
        return msgspec.structs.replace(article, id=qualified(article.id, collection=article.collection))

    def _home(self, name: str) -> str | None:
        return self._sent_to.get(name) or self._homes.get(name)

    def _noticed(self, one: Arrival) -> Settled | Rejected:
        """A notice without text: its state holds from now on for the article that it names by id or address."""
        known = known_by_of(one)
        names = (one.article.id,) if one.has_id else self._ids(one.article, *known.addresses)
        for old in filter(None, map(self._get, names)):
            return self._as_state(one, old, KnownBy())
        copies = [] if one.has_id else self._copies(one.article)
        if one.copies and copies:  # none has the address as its name, and yet it is of all of them
            return self._as_state(one, copies[0], KnownBy())
        named = one.article.id if one.has_id else one.article.url or "no article, by id or url"
        embargo = f"an embargo until {one.article.embargoed_until}" if one.article.embargoed_until else ""
        said = one.article.status if one.says_status else embargo or "on what terms it may be used"
        reason = f"it says {said} without a text, of an article that is not held: it names {named}"
        if copies:
            reason += f"; articles of that page are {names_of(copies, one.article)}: name these, or send `copies`"
        return Rejected(origin=one.origin, reason=reason)

    def _settled(self, one: Arrival) -> Settled:
        known = known_by_of(one)
        if one.has_id:
            return self._version(one, one.article, self._get(one.article.id), known)
        if known.addresses:
            return self._as_held(one.article, known) or self._addressed(one, known)
        return self._anonymous(one, known)

    def _as_held(self, article: Article, known: KnownBy) -> Settled | None:
        """The usual case of an address, decided without reading a text: nothing has changed."""
        for name in self._ids(article, *known.addresses, itself=True):
            as_held = msgspec.structs.replace(article, id=name)
            if self._fingerprint_of(name) == fingerprint(as_held):
                return Settled(article=as_held, outcome="unchanged")
        return None

    def _addressed(self, one: Arrival, known: KnownBy) -> Settled:
        article = one.article
        names = self._ids(article, *known.addresses, itself=True)
        others = [old for name in names if (old := self._get(name)) is not None]
        unlinked = without_link(one)
        unlinked = msgspec.structs.replace(unlinked, article=self._own(unlinked.article))
        if others and all(old.version != article.version for old in others):
            beside = self._anonymous(unlinked, known_by_of(unlinked))
            if beside.outcome in {"unchanged", "updated"} and beside.article.url is None:
                return beside  # kept so before
        for old in sorted(others, key=lambda old: old.version != article.version):
            if not is_another_article(article, old, strictly=self._is_elsewhere(one, old, known)):
                whole = completed(msgspec.structs.replace(article, id=old.id), old)
                sure = (
                    whole.version == old.version
                    or old.summary_only
                    or is_correction(whole, old)
                    or says_it_corrects(whole, old)
                )
                return self._version(one, whole, old, known, note="" if sure else _replacing_at(old))
        if others:
            # One of the two pages names a wrong address; a citation must not open the other page.
            settled = self._anonymous(unlinked, known_by_of(unlinked))
            note = f"its address {article.url} is that of {others[0].title[:80]!r}: it is kept beside that, without one"
            return settled if settled.outcome == "unchanged" else msgspec.structs.replace(settled, note=note)
        for name in self._with_text(article):
            old = self._get(name)
            of_site = old is not None and old.url and host_of(old.url) == host_of(article.url)
            if of_site and old and old.title.casefold() == article.title.casefold() and dates_agree(article, old):
                return self._duplicate(one, old, name)
        return self._version(one, article, None, known)

    def _is_elsewhere(self, one: Arrival, old: Article, known: KnownBy) -> bool:
        """Whether an article is from another one-article file than the one held, or follows it without another time."""
        if known.place and not holds_many(one.origin) and old.id not in self._ids(one.article, known.place):
            return True
        times = [written or "" for written in (one.article.published_at, old.published_at)]
        at_times = dates_agree(one.article, old) and min(map(len, times)) > len("2024-06-04")
        return old.id in self._met and not at_times

    def _anonymous(self, one: Arrival, known: KnownBy) -> Settled:
        """An article without id or usable address: its text identifies it, then its file, title and date."""
        article, by_text = one.article, self._own(under_its_text(one))
        own, at_place = {article.id, by_text.id}, self._ids(article, known.place)
        for name in self._with_text(article):
            old = self._get(name)
            if old is not None and not dates_agree(article, old):
                continue  # the same words on another day say something new
            itself = name in own and (old is None or _is_called(article, old))
            if not itself and name not in at_place:
                return self._duplicate(one, old, name)
            whole = msgspec.structs.replace(article, id=name)
            return self._version(one, whole if old is None else completed(whole, old), old, known)
        earlier = self._earlier_version(one, known)
        if earlier is not None:
            whole = completed(msgspec.structs.replace(article, id=earlier.id), earlier)
            return self._version(one, whole, earlier, known, note=_replacing(earlier))
        if not self._is_taken(article.id):
            return self._version(one, article, None, known)
        return self._version(one, by_text, None, known, note=self._beside(article))

    def _earlier_version(self, one: Arrival, known: KnownBy) -> Article | None:
        """The earlier version of an article that only its file, or its title and date, identify."""
        article = one.article
        of_file = [*self._ids(article, known.place), *([article.id] if known.place else [])]
        of_title = [*self._ids(article, known.dated), *([article.id] if known.dated else [])]
        for names, closely in ((of_file, holds_many(one.origin)), (of_title, True)):
            unmet = [name for name in dict.fromkeys(names) if name not in self._met]
            if closely and len(unmet) > _SERIES:
                continue
            held = filter(None, map(self._get, unmet))
            found = [old for old in held if not (closely and old.source != article.source)]
            earlier = [old for old in found if is_revision(article, old, closely=closely)]
            if earlier and (len(earlier) == 1 or not closely):  # of two that it may correct neither is sure
                return earlier[0]
        return None

    def _version(
        self, one: Arrival, article: Article, old: Article | None, known: KnownBy, *, note: str = ""
    ) -> Settled:
        """What an article is under its id; `old` is what is held under that id."""
        if old is not None:
            article = with_state(article, old, says_status=one.says_status)
        if self._fingerprint_of(article.id) == fingerprint(article):
            return Settled(article=article, outcome="unchanged")
        if old is not None and article.summary_only and not old.summary_only:
            return self._as_state(one, old, known, note="it is a feed's summary of the article held, which stays")
        filled = old is not None and old.summary_only and not article.summary_only
        if old is not None and old.version != article.version and not filled and is_earlier(article, old):
            note = f"it is dated {article.published_at}, before the version held ({old.published_at}), which stays"
            if (one.says_status and one.article.status != "usable") or one.article.embargoed_until:
                return self._as_state(one, old, known, note=note)
            return Settled(article=old, outcome="unchanged", note=note)
        outcome: Literal["added", "updated"] = "updated" if self._is_taken(article.id) else "added"
        return Settled(article=article, outcome=outcome, known_by=known, note=note)

    def _duplicate(self, one: Arrival, old: Article | None, name: str) -> Settled:
        """A text that is already held; its state still holds for the held article."""
        if old is not None:
            settled = self._as_state(one, old, KnownBy())
            if settled.outcome == "updated":
                return settled
        return Settled(article=msgspec.structs.replace(one.article, id=name), outcome="duplicate")

    def _as_state(self, one: Arrival, old: Article, known: KnownBy, *, note: str = "") -> Settled:
        """The held article with the arrival's state."""
        said = with_state(one.article, old, says_status=one.says_status)
        article = msgspec.structs.replace(
            old, status=said.status, embargoed_until=said.embargoed_until, usage_terms=said.usage_terms
        )
        return Settled(article=article, outcome="unchanged" if article == old else "updated", known_by=known, note=note)

    def _beside(self, article: Article) -> str:
        """The note on an article that is kept beside an earlier one of its title and source."""
        old = None if article.id in self._met else self._get(article.id)
        if old is None or old.source != article.source:
            return ""
        return (
            "an article of this title is held with another text, and both are kept: "
            "give an `id` or a `url` where one is to replace the other"
        )

    def _ids(self, article: Article, *keys: str | None, itself: bool = False) -> Sequence[str]:
        """Ids of its collection that are known by a key, those of this run last; with `itself`, its own id first."""
        names = (name for of in (self._known, self._keys) for key in keys if key for name in of.get(key, ()))
        here = (name for name in names if self._home(name) == article.collection)
        return tuple(dict.fromkeys((*([article.id] if itself else []), *here)))

    def _with_text(self, article: Article) -> tuple[str, ...]:
        """Ids of articles of its collection with the same text."""
        place = (article.collection, article.version)
        found = [self._texts[place]] if place in self._texts else []
        return tuple(dict.fromkeys((*found, *self._holders.get(place, ()))))

    def _fingerprint_of(self, name: str) -> str | None:
        return self._fingerprints.get(name, self._held.get(name))

    def _is_taken(self, name: str) -> bool:
        """Whether an id is in use, even by an incomplete or damaged article."""
        return self._fingerprint_of(name) is not None or bool(self._waiting.get(name)) or self._exists(name)

    def _exists(self, name: str) -> bool:
        try:
            return self._corpus.get(name) is not None
        except StoreCorrupt:  # altered on the disk: this ingest mends it
            return True

    def _get(self, name: str) -> Article | None:
        """An article as it is or will be in a moment; None also if it cannot be read."""
        waiting = self._waiting.get(name)
        return waiting[-1] if waiting else readable(self._corpus, name)


def _replacing(old: Article) -> str:
    """The note on an article that replaces one without an id or link in common."""
    return (
        f"it replaces {old.title[:80] or old.id!r}: its words, and the same file or title, date and source, say that "
        "it is a later version of it; give each an `id` or a `url` where both are to be kept"
    )


def _replacing_at(old: Article) -> str:
    """The note on an article that only its link identifies as a version of the one held."""
    return (
        f"it replaces {old.title[:80] or old.id!r}, which has the same address, though more than a correction differs: "
        "give each an `id` where both are to be kept"
    )


def _speaks(one: Arrival) -> bool:
    """Whether an arrival says when the article may be shown."""
    return one.says_status or one.article.embargoed_until is not None


def _is_called(new: Article, old: Article) -> bool:
    """Whether an article has the title and the source of the one held, or fills them in."""
    return old.title in {"", new.title} and old.source in {"", new.source}
