"""Names of months, spelt out and short, in 22 languages (from Unicode's CLDR); each stands for one month only.

English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Norwegian, Danish, Polish, Russian, Ukrainian,
Czech, Finnish, Turkish, Romanian, Hungarian, Greek, Indonesian, Arabic, Catalan. Short forms that are words of English
("set", "out", "pro", "led") are left out.
"""

from __future__ import annotations

from typing import Final

__all__ = ["MONTHS"]

_NAMES: Final = (
    (
        "ene enero gen gener gennaio ian ianuarie jan janeiro januar januari january január janv janvier leden ledna "
        "oca ocak sty styczeń stycznia tammi tammikuu tammikuuta ιαν ιανουάριοσ ιανουαρίου січ січень січня янв "
        "январь января يناير"
    ),
    (
        "feb febbraio febr febrer febrero februar februari februarie february február fev fevereiro févr février "
        "helmi helmikuu helmikuuta lut lutego luty úno únor února şub şubat φεβ φεβρουάριοσ φεβρουαρίου лют лютий "
        "лютого февр февраль февраля فبراير"
    ),
    (
        "bře březen března maalis maaliskuu maaliskuuta maart mar marca march maret mars mart martie marts marzec "
        "marzo març março mrt márc március mär märz μάρ μάρτιοσ μαρ μαρτίου бер березень березня мар март марта مارس"
    ),
    (
        "abr abril apr april aprile aprilie avr avril duben dubna huhti huhtikuu huhtikuuta kwi kwiecień kwietnia nis "
        "nisan ápr április απρ απρίλιοσ απριλίου апр апрель апреля квіт квітень квітня أبريل"
    ),
    (
        "kvě květen května mag maggio mai maig maio maj maja may mayo mayıs mei máj május touko toukokuu toukokuuta "
        "μάι μάιοσ май мая трав травень травня مايو"
    ),
    (
        "cze czerwca czerwiec giu giugno haz haziran iun iunie juin jun june junho juni junio juny jún június kesä "
        "kesäkuu kesäkuuta červen června čvn ιουν ιουνίου ιούν ιούνιοσ июн июнь июня черв червень червня يونيو"
    ),
    (
        "heinä heinäkuu heinäkuuta iul iulie juil juillet jul julho juli julio juliol july júl július lip lipca "
        "lipiec lug luglio temmuz července červenec čvc ιουλ ιουλίου ιούλ ιούλιοσ июл июль июля лип липень липня "
        "يوليو"
    ),
    (
        "ago agost agosto agu agustus août aug august augusti augustus augusztus ağu ağustos elo elokuu elokuuta sie "
        "sierpień sierpnia srp srpen srpna αυγ αυγούστου αύγ αύγουστοσ авг август августа серп серпень серпня أغسطس"
    ),
    (
        "eyl eylül sep sept september septembre septembrie septiembre setembre setembro settembre syys syyskuu "
        "syyskuuta szept szeptember wrz wrzesień września zář září σεπ σεπτέμβριοσ σεπτεμβρίου вер вересень вересня "
        "сент сентябрь сентября سبتمبر"
    ),
    (
        "ekim loka lokakuu lokakuuta oct october octobre octombrie octubre okt oktober október ott ottobre outubro "
        "paź październik października říj říjen října οκτ οκτωβρίου οκτώβριοσ жовт жовтень жовтня окт октябрь октября "
        "أكتوبر"
    ),
    (
        "kas kasım lis listopad listopada listopadu marras marraskuu marraskuuta noiembrie nov november novembre "
        "novembro noviembre νοέ νοέμβριοσ νοε νοεμβρίου лист листопад листопада нояб ноябрь ноября نوفمبر"
    ),
    (
        "aralık dec december decembrie des desember desembre dez dezember dezembro dic dicembre diciembre déc "
        "décembre gru grudnia grudzień joulu joulukuu joulukuuta prosince prosinec δεκ δεκέμβριοσ δεκεμβρίου груд "
        "грудень грудня дек декабрь декабря ديسمبر"
    ),
)

MONTHS: Final = {name: number for number, names in enumerate(_NAMES, start=1) for name in names.split()}
"""The number of a month by its case-folded name."""
