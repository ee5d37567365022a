"""The loop's words: stages, actions, clocks, actors and rungs as people are told them.

发现—上报—推送—处理—评估, in the field's stages: 信息收集—案卷建立—任务派遣—任务处理—处理反馈—
核实结案—综合评价 (扶政办〔2019〕3号), with 作废 回退 返工 延期 督办 申诉 挂账 beside them.
"""

from __future__ import annotations

from typing import Final

STAGE_NAMES: Final[dict[str, tuple[str, str]]] = {
    "detected": ("发现", "detected"),
    "filed": ("立案", "filed"),
    "dispatched": ("已派遣", "dispatched"),
    "accepted": ("已接单", "accepted"),
    "arrived": ("已到场", "arrived"),
    "disposed": ("已处置", "disposed"),
    "verified": ("已核实", "verified"),
    "closed": ("已结案", "closed"),
    "evaluated": ("已评价", "evaluated"),
    "returned": ("已回退", "returned"),
    "reworked": ("返工", "reworked"),
    "suspended": ("挂账", "suspended"),
    "void": ("作废", "void"),
}
"""Stages for people: (zh, en)."""

ACTION_NAMES: Final[dict[str, tuple[str, str]]] = {
    "accept": ("接单", "accept"),
    "arrive": ("到场", "arrive"),
    "dispose": ("处置", "dispose"),
    "verify": ("核实", "verify"),
    "close": ("结案", "close"),
    "evaluate": ("评价", "evaluate"),
    "rate": ("满意度评价", "rate"),
    "return": ("回退", "return"),
    "rework": ("返工", "rework"),
    "extend": ("申请延期", "ask for more time"),
    "grant": ("准予延期", "grant more time"),
    "refuse": ("不予延期", "refuse more time"),
    "supervise": ("督办", "supervise"),
    "appeal": ("申诉", "appeal"),
    "uphold": ("维持原判", "uphold"),
    "overturn": ("申诉成立", "overturn"),
    "suspend": ("挂账", "suspend"),
    "resume": ("恢复办理", "resume"),
    "void": ("作废", "void"),
    "reassign": ("改派", "reassign"),
    "reopen": ("重新办理", "reopen"),
    "confirm": ("确认已恢复", "confirm"),
    "deny": ("确认未恢复", "deny"),
    "note": ("备注", "note"),
    "acknowledge": ("知悉", "acknowledge"),
    "remind": ("催办", "remind"),
    "request_helper": ("请求支援", "request a helper"),
    "accept_help": ("接受支援", "accept to help"),
    "refuse_help": ("拒绝支援", "refuse to help"),
    "release_helper": ("解除支援", "release a helper"),
    "take_resource": ("调用物资", "take a resource"),
    "return_resource": ("归还物资", "return a resource"),
    "assign": ("确定责任单位", "name the utility"),
    "report": ("现场报告", "report from the spot"),
    "merge": ("合并", "merge"),
    "split": ("拆分", "split"),
    "undo": ("撤销合并或拆分", "undo a merge or split"),
}
"""Actions on a ticket for people: (zh, en). A new action needs an entry here."""

CLOCK_NAMES: Final[dict[str, tuple[str, str]]] = {
    "accept": ("接单", "accept"),
    "arrive": ("到场", "arrive"),
    "dispose": ("处置", "dispose"),
    "verify": ("核实", "verify"),
    "close": ("结案", "close"),
}
"""The five clocks for people: (zh, en)."""

ACTOR_NAMES: Final[dict[str, tuple[str, str]]] = {
    "worker": ("承办网格员", "the worker sent"),
    "utility": ("承办单位", "the utility concerned"),
    "helper": ("协助人员", "a helper"),
    "neighbour": ("邻近网格员", "the neighbour asked"),
    "contact": ("现场网格员", "the worker on site"),
    "former": ("原承办人", "who had it before"),
    "officer": ("网格长及上级", "the grid head or an officer above"),
    "center": ("中心", "the center"),
    "resident": ("居民", "a resident"),
}
"""Who acts, seen from one ticket: (zh, en)."""

RUNG_NAMES: Final[dict[str, tuple[str, str]]] = {
    "neighbour": ("邻近网格员", "the neighbour"),
    "grid_head": ("网格长", "the grid head"),
    "community": ("社区", "the community"),
    "street_center": ("街道中心", "the street center"),
    "district_center": ("区中心", "the district center"),
}
"""Rungs of the ladder for people: (zh, en); others are named by their role."""

NAMED: Final[dict[str, tuple[str, ...]]] = {
    "merge": ("into",),
    "split": ("events",),
    "assign": ("utility",),
    "accept_help": ("worker",),
    "refuse_help": ("worker",),
    "release_helper": ("worker",),
    "take_resource": ("resource",),
    "return_resource": ("resource",),
    "report": ("facts",),
}
"""What an action names in `data` beside its reason: a ticket, events, a utility, a person."""

BESIDES: Final[dict[str, tuple[str, ...]]] = {
    "verify": ("reason",),
    "grant": ("until",),
    "suspend": ("until",),
    "evaluate": ("score",),
    "request_helper": ("worker", "count"),
}
"""What may be said with an action although it need not; a note may go with every one."""

ALIASES: Final[dict[str, str]] = {"restore": "dispose", "restored": "dispose"}
"""Other words for actions: a utility restores what a worker disposes of."""

PHOTOS: Final[dict[str, str]] = {
    "near": "近景",
    "far": "远景",
    "reference": "参照物",
    "before": "处置前",
    "after": "处置后",
}
"""Names of a ticket's photographs, as the field has them."""
