"""The tea garden's annual report: three Chinese pages with tables and a vector chart, its font embedded."""

from __future__ import annotations

from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import PageBreak

from examples.builder import charts, fonts
from examples.builder.report_style import Report

RAIN = (38, 52, 96, 143, 187, 264, 231, 198, 121, 74, 45, 31)
_FONT = "MicroHei"


def build(path: Path) -> None:
    """Raises FontMissing."""
    pdfmetrics.registerFont(TTFont(_FONT, str(fonts.chinese_path()), subfontIndex=0))
    report = Report(
        font=_FONT,
        bold=_FONT,
        colour="#3f6b35",
        title="云岭茶园二〇二五年度报告",
        foot="云岭茶园 · 2025 年度报告",
        chinese=True,
    )
    add = report.add
    add("title", "云岭茶园 2025 年度报告")
    add("subtitle", "一座山谷，四十七户人家，一百八十六亩茶树")
    add("heading", "一、全年概况")
    add(
        "body",
        "2025 年，云岭茶园共有茶农 47 户，茶园面积 186 亩。全年采制干茶 10,880 公斤，比上一年增加 6.4%。春茶于 3 月 18 日开采，"
        "比 2024 年早 6 天。场长沈知微认为，冬季气温偏高、二月雨水均匀，是开采提前的主要原因。",
    )
    add(
        "body",
        "茶园继续履行与灯笼山天文台的约定：每晚十点以后，茶园路的路灯全部熄灭。这项约定从 1987 年开始，至今没有中断。"
        "今年我们把最后 9 盏钠灯换成了带灯罩的琥珀色灯，亮度降低了一半。",
    )
    report.table(
        "表 1　茶树品种与产量",
        [
            ("品种", "面积（亩）", "干茶产量（公斤）", "每亩产量（公斤）"),
            ("云岭一号", "78", "4,914", "63.0"),
            ("翠屏", "63", "3,654", "58.0"),
            ("白毫早", "45", "2,312", "51.4"),
            ("合计", "186", "10,880", "58.5"),
        ],
        (4, 3.6, 4.4, 4.4),
        total=True,
    )
    add("body", "三个品种之中，云岭一号的每亩产量最高，翠屏的香气最受老茶客喜爱，白毫早只用来制作白茶。")
    report.story.append(PageBreak())

    add("heading", "二、天气与病虫")
    add("body", "全年降雨 1,480 毫米，其中六月最多，达到 264 毫米，十二月最少，只有 31 毫米。6 月 23 日夜间的一场暴雨冲毁了"
        "第五级梯田的 38 米石坎，修复工程在 8 月完成，花费 11.7 万元。")  # fmt: skip
    report.figure(
        charts.bars(
            [f"{month}月" for month in range(1, 13)], RAIN, "毫米", font=_FONT, colour="#7aa95c", top=300, step=75
        ),
        "图 1　2025 年各月降雨量（毫米）",
    )
    add("body", "茶园不使用化学农药。今年挂出黄色粘虫板 4,200 张，投放胡瓜钝绥螨 860 万头，用来防治茶小绿叶蝉和茶橙瘿螨。"
        "受害茶芽的比例从去年的 7.9% 降到 4.3%。")  # fmt: skip
    report.table(
        "表 2　三季采摘情况",
        [
            ("季节", "开采日", "结束日", "干茶产量（公斤）"),
            ("春茶", "3 月 18 日", "5 月 6 日", "5,240"),
            ("夏茶", "6 月 2 日", "7 月 12 日", "3,180"),
            ("秋茶", "9 月 5 日", "10 月 16 日", "2,460"),
            ("合计", "—", "—", "10,880"),
        ],
        (4, 4, 4, 4.4),
        total=True,
    )
    report.story.append(PageBreak())

    add("heading", "三、收入与支出")
    report.table(
        "表 3　收入（万元）",
        [
            ("项目", "2024 年", "2025 年"),
            ("绿茶", "295.0", "312.6"),
            ("红茶", "151.7", "148.2"),
            ("白茶", "80.3", "95.4"),
            ("茶旅", "43.5", "61.8"),
            ("合计", "570.5", "618.0"),
        ],
        (6, 5, 5),
        total=True,
    )
    add("body", "茶旅收入增长最快，主要来自与天文台合办的「星空茶席」：游客傍晚采茶，入夜看星。全年共办 34 场，接待 816 人。"
        "红茶收入略有下降，因为夏茶的一部分改制成了白茶。")  # fmt: skip
    add("body", "全年支出 471.3 万元，其中采摘工钱 203.8 万元，是最大的一项。")
    add("heading", "四、明年计划")
    add("body", "茶园将投资 240 万元新建萎凋车间，预计 2026 年 9 月投入使用；在第七级梯田试种新品种「灯笼红」5 亩；"
        "并请农科院的梁以宁老师每月来园讲课一次。")  # fmt: skip
    add("body", "明年的开园节定在 2026 年 3 月 21 日，欢迎山谷里的孩子们前来学习炒茶。")
    report.write(path, "云岭茶园")
