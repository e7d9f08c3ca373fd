"""Words, numbers and sentences to fill tables and pages with, in English and Chinese."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

_NOUNS = (
    "agreement audit balance board budget bridge capital committee contract cost credit customer delivery director engine "
    "equity estimate expense export field forecast freight growth harbour income interest inventory invoice island kitchen "
    "lease liability machine margin market measure mineral network operator orchard partner payment pension pipeline policy "
    "product profit quarter railway rate region report reserve revenue river school segment service share station supplier "
    "tax terminal timber trade turbine valley value vessel village volume water winter"
).split()
_ADJECTIVES = (
    "annual basic central deferred eastern final former gross joint local long-term net new northern old other "
)
_ADJECTIVES += "public regional second southern total unused western"
_VERBS = "covers explains follows grew holds keeps lost moved needs opened reached replaced showed supports took used"
_HANZI = "港口 集装箱 铁路 公路 水运 航空 能源 电力 煤炭 钢铁 农业 粮食 蔬菜 水果 森林 渔业 教育 学校 学生 教师 医院 医生 人口 "
_HANZI += "收入 支出 利润 成本 资产 负债 税收 投资 贷款 存款 出口 进口 贸易 市场 价格 工资 企业 工业 建筑 住房 城市 乡村 地区 "
_HANZI += "北部 南部 东部 西部 中央 地方 年度 季度 增长 下降 总计 平均 面积 数量 质量 标准 计划 项目 合同 客户 供应"
_HANZI_VERBS = "包括 达到 超过 支持 影响 提高 减少 覆盖 需要 推动"

Maker = Callable[[random.Random], str]


@dataclass(frozen=True)
class Language:
    nouns: tuple[str, ...]
    adjectives: tuple[str, ...]
    verbs: tuple[str, ...]
    numbers: tuple[Maker, ...]
    headings: tuple[str, ...]
    space: str

    def word(self, chance: random.Random) -> str:
        word = chance.choice(self.nouns)
        return word.capitalize() if self.space else word

    def phrase(self, chance: random.Random, least: int, most: int) -> str:
        words = [chance.choice(self.nouns) for _ in range(chance.randint(least, most))]
        if self.adjectives and len(words) > 1:
            words[0] = chance.choice(self.adjectives)
        said = self.space.join(words)
        return said[:1].upper() + said[1:]

    def heading(self, chance: random.Random) -> str:
        """The head of a column: a year, a unit, a word or two."""
        return chance.choice(self.headings) if chance.random() < 0.4 else self.phrase(chance, 1, 2)

    def prose(self, chance: random.Random, sentences: int) -> str:
        made = []
        for _ in range(sentences):
            clauses = [
                self.space.join(
                    [self.phrase(chance, 2, 5), chance.choice(self.verbs), self.phrase(chance, 2, 5).lower()]
                )
                for _ in range(chance.randint(1, 3))
            ]
            made.append((", and the " if self.space else "，").join(clauses) + ("." if self.space else "。"))
        return self.space.join(made)


def _count(chance: random.Random) -> str:
    return f"{chance.randint(1, 99_999):,}"


def _decimal(chance: random.Random) -> str:
    return f"{chance.uniform(0.1, 999):.1f}"


def _per_cent(chance: random.Random) -> str:
    return f"{chance.uniform(-20, 90):.1f}%"


def _loss(chance: random.Random) -> str:
    number = f"{chance.randint(10, 9_999):,}"
    return f"({number})" if chance.random() < 0.3 else number


def _dollars(chance: random.Random) -> str:
    return f"${chance.randint(1, 99_999):,}"


def _year(chance: random.Random) -> str:
    return str(chance.randint(1980, 2025))


def _hundred_million(chance: random.Random) -> str:
    return f"{chance.uniform(0.1, 99):.2f}亿"


ENGLISH = Language(
    tuple(_NOUNS),
    tuple(_ADJECTIVES.split()),
    tuple(_VERBS.split()),
    (_count, _decimal, _per_cent, _loss, _dollars, _year),
    ("2021", "2022", "2023", "2024", "Q1 2024", "FY 2023", "Change", "% of total", "Notes", "Total", "Units (000)"),
    " ",
)
CHINESE = Language(
    tuple(_HANZI.split()),
    (),
    tuple(_HANZI_VERBS.split()),
    (_count, _decimal, _per_cent, _year, _hundred_million),
    ("2021年", "2022年", "2023年", "第一季度", "同比增长", "占比（%）", "单位：万元", "备注", "合计"),
    "",
)
