"""Every word that stands in the corpus as pixels only: in pictures and in the scan.

The drawing code takes its text from here and the tests check the labelled answers against it, because no text can be
extracted from these files without OCR.
"""

from __future__ import annotations

TELESCOPE = {
    "title": "The Heron telescope, cut open",
    "slit": "Dome slit, 2.4 m wide",
    "secondary": "Secondary mirror, 31 cm",
    "truss": "Carbon-fibre truss",
    "primary": "Primary mirror, 1.2 m",
    "camera": "Camera at the Nasmyth focus",
    "counterweight": "Counterweight, 860 kg",
    "pier": "Granite pier, 14 t, stands apart from the floor",
}

FLOW = {
    "title": "How Tuwen answers a question",
    "question": "Question",
    "rewrite": "Rewrite",
    "dense": "Text vectors",
    "images": "Picture entries",
    "lexical": "Words (FTS5)",
    "fuse": "Fuse (RRF)",
    "rerank": "Rerank",
    "abstain": "Enough evidence?",
    "pack": "Pack passages",
    "generate": "Generate",
    "cite": "Check citations",
    "answer": "Answer [1] [2]",
    "refuse": "Not in these documents",
}

TEA = {
    "title": "云岭绿茶制作流程",
    "steps": (
        ("采摘", "一芽二叶", "清晨五点至八点"),
        ("摊晾", "竹匾摊放", "6 小时"),
        ("杀青", "铁锅翻炒", "锅温 220 度"),
        ("揉捻", "轻重轻三段", "35 分钟"),
        ("烘干", "炭火慢烘", "含水率 5%"),
        ("分级", "手工拣剔", "特级、一级、二级"),
    ),
    "foot": "四斤半鲜叶，制成一斤干茶",
}

LETTER = (
    "LANTERN HILL OBSERVATORY",
    "in foundation",
    "",
    "3 November 1987",
    "",
    "To Mr Shen Guanglu, manager of the Yunling Tea Garden",
    "",
    "Dear Mr Shen,",
    "",
    "We thank you for the walk over the ridge last week. My colleagues",
    "and I have measured the sky above your upper terrace on eleven",
    "nights, and we have found no darker place within two hundred",
    "kilometres. We should like to build our observatory there.",
    "",
    "We ask three things of you:",
    "",
    "   1.  a lease of two hectares on the ridge, for sixty years;",
    "   2.  shades on the 23 lamps of the terrace road, so that their",
    "       light falls on the road and not on the sky;",
    "   3.  the use of your water tank during the building.",
    "",
    "We offer a rent of 600 yuan a year, and we promise one night at",
    "the telescope every spring to every child of the valley.",
    "",
    "The first instrument, a reflector of 1.2 metres which we call",
    "Heron, leaves the workshop in April 1989.",
    "",
    "With respect,",
    "",
    "Maren Oduya",
    "Founder",
)

REPLY = (
    "云岭茶园",
    "",
    "灯笼山天文台筹建处",
    "欧杜雅博士：",
    "",
    "　　十一月三日来信收到。全场四十二户茶农开会商议，同意",
    "在山脊上划出两公顷土地，租给贵台六十年。",
    "",
    "　　一、茶园路二十三盏路灯，腊月前全部加装灯罩，费用由",
    "茶园承担。",
    "　　二、每年三月十五日至四月二十日采茶季，清晨五点至八点，",
    "茶园路不得通行卡车。",
    "　　三、水箱可以使用，每月不超过八十吨。",
    "　　四、租金不必付六百元，每年只收一元。天上的星星本来",
    "就不是我们的。",
    "",
    "　　请不要忘记孩子们看星星的约定。",
    "",
    "　　　　　　　　　　　　　　　　场长　沈光禄",
    "　　　　　　　　　　　　　　　　一九八七年十一月二十一日",
)

VISITORS_TITLE = "Visitors of the observatory"
VISITORS = {"2019": 3120, "2020": 840, "2021": 1265, "2022": 2710, "2023": 3480, "2024": 4015, "2025": 4637}

IN_FILE: dict[str, dict[int, str]] = {
    "pictures/heron-telescope.png": {1: "\n".join(TELESCOPE.values())},
    "pictures/question-flow.png": {1: "\n".join(FLOW.values())},
    "pictures/制茶流程.png": {
        1: "\n".join([TEA["title"], *(word for step in TEA["steps"] for word in step), TEA["foot"]])  # type: ignore[list-item]
    },
    "pictures/valley-at-night.png": {1: ""},
    "observatory/letters-1987-scan.pdf": {1: "\n".join(LETTER), 2: "\n".join(REPLY)},
}
"""File → page → text drawn there, of files that are pixels only."""

IN_PICTURE: dict[str, dict[int, str]] = {
    "observatory/annual-report-2025.pdf": {
        3: "\n".join([VISITORS_TITLE, *(f"{year} {count:,}" for year, count in VISITORS.items())])
    },
}
"""File → page → text drawn in a picture of it, beside text that can be extracted."""
