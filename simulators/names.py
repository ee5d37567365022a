"""Names people here would have. All invented; no entry stands for a real place or person."""

from __future__ import annotations

import numpy as np

STREET = "清溪街道"
COMMUNITIES = ("江滨社区", "榕荫社区", "书院社区")
ESTATES = (
    "桂花苑", "碧水湾", "榕城花园", "金桥新村", "玉兰里", "文昌阁", "东门厝", "水流尾",
    "阳光城", "锦绣园", "清溪名邸", "渔港新居", "龙眼树下", "老粮站", "纺织厂宿舍", "学府雅居",
    "南山坪", "观音亭", "中山路骑楼", "滨江一号", "福星楼", "西园里", "车站路", "供销社大院",
    "白鹭洲", "紫荆苑", "双塔里", "石桥头", "新华书店", "农贸市场", "凤凰新村", "竹林巷",
    "柑橘园", "状元坊", "电信小区", "茶厂宿舍",
)  # fmt: skip
NUMBERS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
_SURNAMES = tuple("陈林黄张吴李郑王刘苏蔡杨许谢洪郭邱曾廖赖徐周叶赵卢江何萧罗高")
_GIVEN = (
    "建国", "秀英", "志强", "丽华", "明辉", "美玲", "国平", "雅婷", "文彬", "淑贞", "伟杰", "晓燕",
    "振华", "玉兰", "家豪", "慧敏", "永福", "春梅", "志远", "小芳", "宏斌", "桂香", "锦程", "雪萍",
    "德胜", "月娥", "俊峰", "佳怡", "金水", "思颖", "海涛", "素琴", "天赐", "婉如", "立新", "巧云",
)  # fmt: skip


def people(rng: np.random.Generator, count: int) -> list[str]:
    """`count` different full names."""
    pairs = [s + g for s in _SURNAMES for g in _GIVEN]
    picks = rng.choice(len(pairs), size=count, replace=False)
    return [pairs[int(i)] for i in picks]
