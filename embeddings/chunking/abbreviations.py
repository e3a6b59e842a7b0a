"""Words that tell whether a full stop ends a sentence: abbreviations by language, and words that open sentences."""

from __future__ import annotations

import re
from typing import Final

from embeddings.month_names import (
    CAPITAL_SHORT_MONTHS,
    ENGLISH_MONTHS,
    ENGLISH_SHORT_MONTHS,
    ENGLISH_WEEKDAYS,
    GERMAN_MONTHS,
    GERMAN_SHORT_MONTHS,
)


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_TITLES: Final = _words(
    "Mr Mrs Ms Mx Dr Prof Gen Maj Col Lt Sgt Cpl Pvt Capt Cmdr Adm Brig Gov Rep Reps Sen Sens Rev Hon Pres Supt Insp",
    "Det Amb Messrs Fr Mme Mlle Ste Mt Hr Sra Dra",
)
NEVER_LAST: Final = (
    _TITLES
    | frozenset(title.upper() for title in _TITLES)  # wires in capitals
    | _words(
        "Ft v vs VS e.g i.e cf ca approx est avg Avg viz",
        "z.B u.a bzw ggf vgl sog geb gest d.h i.d.R Dipl Ing Hl inkl zzgl insb bspw",  # German
        "jur phil med rer nat Fa kath",
        "Mmes MM Mgr Mgrs p.ex env",  # French
        "Srta Dña Gral Lic Excmo Excma Ilmo EE Mons D.ª aprox",  # Spanish
        "Sig Sig.ra Sigg Dott Dott.ssa Prof.ssa Avv Geom Egr Spett sig sig.ra dott dott.ssa prof.ssa avv",  # Italian
        "Profa Exmo Exma Eng Sr.ª séc Cia",  # Portuguese
        "dr prof mr mrs ing drs dhr mevr mw bijv d.w.z m.b.t t.a.v o.a nl",  # Dutch
        "Skt t.ex bl.a dvs f.eks d.v.s jf mht fr.o.m t.o.m s.k pga adv",  # Swedish, Norwegian, Danish
        "inż mgr hab np tzn tzw tj m.in ul pl św ks bp abp płk mjr kpt ur zm",  # Polish
        "např napr tj tzv tzn popř vč nám plk",  # Czech, Slovak
        "проф акад им ул св см т.е т.к напр ок просп пл доц ген полк пгт",  # Russian
        "вул бул буд ім акад див напр бл",  # Ukrainian
        "डॉ प्रो श्री",  # Hindi
    )
)
"""A name, a number or the rest of the phrase always follows."""
BEFORE_NUMBER: Final = _words(
    "No Nos no nos NO Art art arts Sec sec Fig fig figs p pp para paras ch vol Vol vols op",
    *ENGLISH_SHORT_MONTHS,
    *CAPITAL_SHORT_MONTHS,
    "SEC Rs rs N° n° Nr nr Abs Bd Kap núm Núm pág págs cap kl blz стр рис с ст кв Кв",
    "godz ok poz rozdz ust cca čp odst",  # Polish, Czech
)
"""Abbreviations when a number follows, words like any other when none does."""
MAYBE_LAST: Final = _words(
    "Inc Corp Co Cos Ltd Pte Pty Bros Jr Sr LLC INC CORP CO LTD BROS JR SR Ph.D St ST Ave Blvd Rd Sq Hwy Bldg Dept",
    "Univ Assn Assoc Intl al Ala Ariz Ark Calif Colo Conn Del Fla Ga Ill Ind Kan Ky La Mass Md Mich Minn Miss Mo Mont",
    "Neb Nev Okla Ore Pa Tenn Tex Va Vt Wash Wis Wyo",
    "usw usf Mio Mrd Tsd Str Tel Hrsg evtl Jh Chr",  # German
    "tys mln mld bln itd itp im br tis mil atd apod ecc",  # Polish, Czech, Italian, Dutch
    "Me Pr av Av Avda Ud Uds UU On Arch Gen apdo m.m osv gen",
    "тис тыс млн млрд руб коп др долл чел обл гг т.д т.п т.ч грн",
)
"""Abbreviations that also end sentences: they do where the next word is one that opens sentences."""
AFTER_CLOCK: Final = _words(
    *ENGLISH_WEEKDAYS,
    *ENGLISH_MONTHS,
    *ENGLISH_SHORT_MONTHS,
    "Eastern Central Mountain Pacific Greenwich GMT UTC BST CET CEST EET MSK IST ET EST EDT CT CST CDT MT MST MDT",
    "PT PST PDT",
)
AFTER_ORDINAL: Final = _words(
    *GERMAN_MONTHS,
    *GERMAN_SHORT_MONTHS,
    "FC SC SV FSV VfL BC",
    "Jahrhundert Jahrhunderts Weltkrieg Weltkriegs Weltkrieges Bundesliga Liga Platz Mal Tag Woche Minute Spieltag",
    "Stock Klasse Geburtstag Jahrestag Todestag Runde Etage Auflage Bezirk Jahrtausend Kapitel Sitzung",
)
"""What follows a number with a stop in German where it is read as an ordinal ("am 3. Oktober")."""
_OPENERS: Final = _words(
    "The A An He She It They We I You This That These Those There Here His Her Its Their Our My Your In On At But And",
    "Or So If When While After Before As For From With By To Of No Not Some Many Most All Both Each Several Another",
    "One Two Three What Who Why How Where Which Then Now Once Since Because Although Though However Meanwhile Later",
    "Still Yet Also Other Others More About Under Over During Despite According Only Even Just Until Among Let Do Did",
    "Is Are Was Were Has Have Had Will Would Can Could Should Officials Police Authorities Prosecutors Investigators",
    "Residents Critics Supporters Analysts Experts Researchers Scientists Shares Nearly More Every Nobody None",
    # Particles of names ("De", "Van", "La", "El", "Das") are left out.
    "Die Der Ein Eine Er Sie Es Wir Ich Im Auf Bei Mit Nach Doch Aber Und Auch Zu Von Für Dort Hier Seit Wenn Als",
    "Les Il Elle Ils Elles On Nous Une Dans Mais Et Cette Ce Ces Selon Pour Avec Après",
    "Los Las Una Ellos Pero Según Este Esta Para Por Desde También Gli Lo Questo Questa Però Secondo Ma Ele Ela Eles",
    "Uma Mas Segundo Também Het Een Hij Zij Ze Maar Deze Volgens Det Den Han Hon Hun Men Och Og En Ett Et",
    "To Ten Jest Nie Ale Jak Według Po",
    "Potem Gdy Kiedy Nikt Wczoraj Dziś Tam Jego Jej Ona Oni Jeho Její Oni Podle Když Nikdo",
    "Он Она Оно Они Это Этот Эта Эти В На Но По Как Так Также При После Для Однако Мы Вы Тогда Поэтому Власти Полиция",
    "Він Вона Вони Це Цей Ця Після Проте Але За Із Та",
)


def opens_sentence(word: str) -> bool:
    """Whether a word is one that opens sentences: `It's`, `The,` and `THE` are, the initial `A.` is not."""
    bare = re.split(r"['’]", word.rstrip(",:;"), maxsplit=1)[0]
    return bare in _OPENERS or (len(bare) > 1 and bare.isupper() and bare.capitalize() in _OPENERS)
