"""The observatory's annual report: four English pages with tables and vector charts."""

from __future__ import annotations

import io
from pathlib import Path

from reportlab.lib.units import cm
from reportlab.platypus import Image, PageBreak

from examples.builder import charts
from examples.builder.report_style import Report
from examples.builder.visitors_chart import visitors

MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
CLEAR_NIGHTS = (19, 17, 14, 11, 9, 6, 5, 8, 13, 18, 21, 20)


def build(path: Path) -> None:
    colour, font = "#1f4e79", "Helvetica"
    report = Report(
        font=font, bold="Helvetica-Bold", colour=colour, title="Lantern Hill Observatory: annual report 2025",
        foot="Lantern Hill Observatory · Annual report 2025",
    )  # fmt: skip
    add = report.add
    add("title", "Annual report 2025")
    add("subtitle", "Lantern Hill Observatory, 1,862 metres above sea level")
    add("heading", "The year in short")
    add(
        "body",
        "The sky gave us 161 clear nights, thirteen more than in 2024. The Heron telescope and its small robotic sister Wren "
        "observed for 3,306 hours together, and the team published 18 papers. On 14 October, Wren found a near-Earth "
        "asteroid about 140 metres across; the night operator, Jonas Bielik, gave it the nickname Teacup.",
    )
    add(
        "body",
        "Heron's primary mirror was taken out and coated with fresh aluminium between 2 and 19 June. Its reflectivity rose "
        "from 81.4 to 93.6 per cent, which gathers as much light as nine more centimetres of diameter would. In March we put solar panels "
        "of 42 kilowatts on the workshop roof; they supplied 38 per cent of the electricity we used until December.",
    )
    add("body", "None of this would be possible without the dark valley. The Yunling Tea Garden again switched off its "
        "terrace lights at ten every evening, as it has done since 1987.")  # fmt: skip
    add("body", "Ilse Varga, director")
    report.figure(
        charts.bars(MONTHS, CLEAR_NIGHTS, "nights", font=font, colour="#4f81b5", top=24, step=6),
        "Figure 1. Clear nights in each month of 2025. The summer rain leaves July with five.",
    )
    report.story.append(PageBreak())

    add("heading", "Observing")
    add(
        "body",
        "A night counts as clear when the dome stood open for at least four hours. Proposals asked for 2.3 times the hours "
        "that Heron had to give. The time went to five programmes; teaching nights are open to schools without a proposal.",
    )
    report.table(
        "Table 1. Observing hours and papers by programme, 2025",
        [
            ("Programme", "Heron (hours)", "Wren (hours)", "Papers"),
            ("Variable stars", "412", "655", "7"),
            ("Near-Earth asteroids", "188", "903", "4"),
            ("Exoplanet transits", "306", "341", "5"),
            ("Comets", "97", "128", "2"),
            ("Teaching nights", "64", "212", "0"),
            ("Total", "1,067", "2,239", "18"),
        ],
        (6, 3.5, 3.5, 3),
        total=True,
    )
    add(
        "body",
        "We lost 71 hours to technical faults, a third less than the year before. The longest single fault was a "
        "seized bearing in the dome drive, which kept Heron closed from 8 to 11 September. Lightning struck the mast on "
        "22 July; the surge protection held and nothing was damaged.",
    )
    report.table(
        "Table 2. Hours lost to technical faults",
        [
            ("Cause", "2024", "2025"),
            ("Dome drive", "22", "34"),
            ("Camera cooling", "41", "12"),
            ("Computers and network", "29", "19"),
            ("Power", "15", "6"),
            ("Total", "107", "71"),
        ],
        (8, 4, 4),
        total=True,
    )
    report.story.append(PageBreak())

    add("heading", "Visitors")
    add(
        "body",
        "We welcomed 4,637 visitors, the most since we opened the gate to the public. Families were the largest group. "
        "The waiting list for the Photographers' Night reached 212 names in November, so we shall hold it twice a month "
        "from April 2026.",
    )
    picture = io.BytesIO()
    visitors().save(picture, "PNG", optimize=True)
    report.figure(
        Image(picture, 16 * cm, 7.04 * cm),
        "Figure 2. Visitors a year, 2019 to 2025. The closed months of 2020 are plain to see.",
    )
    add(
        "body",
        "The visitor satisfaction survey was returned by 1,108 people. 94 per cent would come again; the most frequent "
        "wish was a warmer waiting room. A stove will be installed before the next winter.",
    )
    report.story.append(PageBreak())

    add("heading", "Money")
    add("body", "Spending rose by a fifth. The new instrument is WARBLER, a spectrograph for Heron, which accounts for most "
        "of the line called Instruments; it is to see first light in September 2026.")  # fmt: skip
    report.table(
        "Table 3. Spending in thousand yuan",
        [
            ("Item", "2024", "2025"),
            ("Staff", "4,510", "4,860"),
            ("Maintenance", "1,220", "1,370"),
            ("Energy", "660", "580"),
            ("Visitor programme", "690", "740"),
            ("Instruments", "950", "2,100"),
            ("Total", "8,030", "9,650"),
        ],
        (8, 4, 4),
        total=True,
    )
    add("body", "Energy is the one line that fell, because of the solar panels. The foundation Open Sky paid for 61 per cent "
        "of the spectrograph; the rest came out of our reserve, which now stands at 1.9 million yuan.")  # fmt: skip
    add("heading", "What comes next")
    add("body", "In 2026 we shall bring WARBLER to first light, replace the dome drive that failed in September, and start "
        "a survey of 5,200 variable stars together with two observatories in the southern hemisphere.")  # fmt: skip
    report.write(path, "Lantern Hill Observatory")
