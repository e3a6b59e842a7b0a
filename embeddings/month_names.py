"""The names of months, by language, and of the days of the week. No other module knows them.

`MONTHS_BY_LANGUAGE` is what dates of publication are read by: add a language there. The English names apart are for
texts and questions in English (`qa.language.dates`, names, sentences). Short forms that are words of English ("set",
"out", "pro", "led") are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ENGLISH_MONTHS: Final = tuple(
    "January February March April May June July August September October November December".split()
)
ENGLISH_SHORT_MONTHS: Final = tuple("Jan Feb Mar Apr Jun Jul Aug Sept Sep Oct Nov Dec".split())
CAPITAL_SHORT_MONTHS: Final = tuple("JAN FEB MAR APR AUG SEPT OCT NOV DEC".split())
"""As wires in capitals write them before a number."""
ENGLISH_WEEKDAYS: Final = tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split())
SHORT_WEEKDAY: Final = r"mon|tues?|wed|thur?s?|fri|sat|sun"
"""Their short forms, in small letters, as a pattern."""
GERMAN_MONTHS: Final = tuple(
    "Januar Jänner Februar März April Mai Juni Juli August September Oktober November Dezember".split()
)
GERMAN_SHORT_MONTHS: Final = tuple("Jan Jän Feb Mrz Apr Jun Jul Aug Sept Sep Okt Nov Dez".split())
ENGLISH_MONTH_NUMBERS: Final[Mapping[str, int]] = {
    name.lower(): number
    for number, month in enumerate(ENGLISH_MONTHS, start=1)
    for name in (month, *ENGLISH_SHORT_MONTHS)
    if name[:3] == month[:3]
}
"""By their names and short forms, in small letters."""
ENGLISH_WEEKDAY_NUMBERS: Final[Mapping[str, int]] = {
    name.lower(): number for number, name in enumerate(ENGLISH_WEEKDAYS)
}
"""Monday is 0."""
MONTHS_BY_LANGUAGE: Final[Mapping[str, str]] = {
    "en": "january jan, february feb, march mar, april apr, may, june jun, july jul, august aug, september sept sep,"
    " october oct, november nov, december dec",
    "ar": "يناير, فبراير, مارس, أبريل, مايو, يونيو, يوليو, أغسطس, سبتمبر, أكتوبر, نوفمبر, ديسمبر",
    "ca": "gener gen, febrer febr, març, abril abr, maig, juny, juliol jul, agost ago, setembre, octubre oct,"
    " novembre nov, desembre des",
    "cs": "leden ledna, únor února úno, březen března bře, duben dubna, květen května kvě, červen června čvn,"
    " červenec července čvc, srpen srpna srp, září zář, říjen října říj, listopad listopadu lis, prosinec prosince",
    "da": "januar jan, februar feb, marts mar, april apr, maj, juni jun, juli jul, august aug, september sept sep,"
    " oktober okt, november nov, december dec",
    "de": "januar jan, februar feb, märz mär, april apr, mai, juni jun, juli jul, august aug, september sept sep,"
    " oktober okt, november nov, dezember dez",
    "el": "ιανουάριοσ ιανουαρίου ιαν, φεβρουάριοσ φεβρουαρίου φεβ, μάρτιοσ μαρτίου μάρ μαρ, απρίλιοσ απριλίου απρ,"
    " μάιοσ μάι, ιούνιοσ ιουνίου ιούν ιουν, ιούλιοσ ιουλίου ιούλ ιουλ, αύγουστοσ αυγούστου αύγ αυγ,"
    " σεπτέμβριοσ σεπτεμβρίου σεπ, οκτώβριοσ οκτωβρίου οκτ, νοέμβριοσ νοεμβρίου νοέ νοε, δεκέμβριοσ δεκεμβρίου δεκ",
    "es": "enero ene, febrero feb, marzo mar, abril abr, mayo may, junio jun, julio jul, agosto ago,"
    " septiembre sept sep, octubre oct, noviembre nov, diciembre dic",
    "fi": "tammikuu tammikuuta tammi, helmikuu helmikuuta helmi, maaliskuu maaliskuuta maalis,"
    " huhtikuu huhtikuuta huhti,"
    " toukokuu toukokuuta touko, kesäkuu kesäkuuta kesä, heinäkuu heinäkuuta heinä, elokuu elokuuta elo,"
    " syyskuu syyskuuta syys, lokakuu lokakuuta loka, marraskuu marraskuuta marras, joulukuu joulukuuta joulu",
    "fr": "janvier janv, février févr, mars, avril avr, mai, juin, juillet juill juil, août, septembre sept,"
    " octobre oct, novembre nov, décembre déc",
    "he": "ינואר, פברואר, מרץ מרס, אפריל, מאי, יוני, יולי, אוגוסט, ספטמבר, אוקטובר, נובמבר, דצמבר",
    "hi": "जनवरी, फरवरी फ़रवरी, मार्च, अप्रैल, मई, जून, जुलाई, अगस्त, सितंबर सितम्बर, अक्टूबर अक्तूबर, नवंबर नवम्बर, दिसंबर दिसम्बर",
    "hu": "január jan, február febr, március márc, április ápr, május máj, június jún, július júl, augusztus aug,"
    " szeptember szept, október okt, november nov, december dec",
    "id": "januari jan, februari feb, maret mar, april apr, mei, juni jun, juli jul, agustus agu, september sept sep,"
    " oktober okt, november nov, desember des",
    "it": "gennaio gen, febbraio feb, marzo mar, aprile apr, maggio mag, giugno giu, luglio lug, agosto ago, settembre,"
    " ottobre ott, novembre nov, dicembre dic",
    "nl": "januari jan, februari feb, maart mrt, april apr, mei, juni jun, juli jul, augustus aug, september sept sep,"
    " oktober okt, november nov, december dec",
    "no": "januar jan, februar feb, mars mar, april apr, mai, juni jun, juli jul, august aug, september sept sep,"
    " oktober okt, november nov, desember des",
    "pl": "styczeń stycznia sty, luty lutego lut, marzec marca mar, kwiecień kwietnia kwi, maj maja,"
    " czerwiec czerwca cze,"
    " lipiec lipca lip, sierpień sierpnia sie, wrzesień września wrz, październik października paź,"
    " listopad listopada lis, grudzień grudnia gru",
    "pt": "janeiro jan, fevereiro fev, março mar, abril abr, maio mai, junho jun, julho jul, agosto ago, setembro,"
    " outubro, novembro nov, dezembro dez",
    "ro": "ianuarie ian, februarie feb, martie mar, aprilie apr, mai, iunie iun, iulie iul, august aug,"
    " septembrie sept,"
    " octombrie oct, noiembrie nov, decembrie dec",
    "ru": "январь января январе янв, февраль февраля феврале февр, март марта марте мар, апрель апреля апреле апр,"
    " май мая мае, июнь июня июне июн,"
    " июль июля июле июл, август августа августе авг, сентябрь сентября сентябре сент,"
    " октябрь октября октябре окт, ноябрь ноября ноябре нояб,"
    " декабрь декабря декабре дек",
    "sv": "januari jan, februari feb, mars mar, april apr, maj, juni jun, juli jul, augusti aug, september sept sep,"
    " oktober okt, november nov, december dec",
    "th": "มกราคม, กุมภาพันธ์, มีนาคม, เมษายน, พฤษภาคม, มิถุนายน, กรกฎาคม, สิงหาคม, กันยายน, ตุลาคม, พฤศจิกายน, ธันวาคม",
    "tr": "ocak oca, şubat şub, mart mar, nisan nis, mayıs may, haziran haz, temmuz, ağustos ağu, eylül eyl, ekim,"
    " kasım kas, aralık",
    "uk": "січень січня січ, лютий лютого лют, березень березня бер, квітень квітня квіт, травень травня трав,"
    " червень червня черв, липень липня лип, серпень серпня серп, вересень вересня вер, жовтень жовтня жовт,"
    " листопад листопада лист, грудень грудня груд",
}
"""By ISO 639-1 code: the months in order, parted by commas, each with its cases and short forms, case-folded."""
MONTHS: Final[Mapping[str, int]] = {
    name: number
    for months in MONTHS_BY_LANGUAGE.values()
    for number, names in enumerate(months.split(","), start=1)
    for name in names.split()
}
"""The number of a month by its case-folded name, in any of these languages."""


def weekday_of(word: str) -> int:
    """The number of an English weekday by its name or a short form of it, Monday being 0."""
    return next(
        number for day, number in ENGLISH_WEEKDAY_NUMBERS.items() if day.startswith(word.casefold().rstrip(".")[:3])
    )
