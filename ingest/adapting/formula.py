"""Arithmetic as data: `(x[0] - 32768) / 10` of a device profile, evaluated without `eval`."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from typing import Final

_BINARY: Final[dict[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Mod: math.fmod,
    ast.Pow: lambda a, b: float(a**b),
    ast.BitAnd: lambda a, b: float(int(a) & int(b)),
    ast.RShift: lambda a, b: float(int(a) >> int(b)),
}
_CALLS: Final[dict[str, Callable[[float], float]]] = {
    "log": math.log,
    "log10": math.log10,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "abs": abs,
    "floor": math.floor,
    "round": lambda v: math.floor(v + 0.5),
}
Formula = Callable[[Sequence[float], Sequence[int]], float]


def compiled(text: str) -> Formula:
    """The function of `x` (numbers) and `y` (bytes) that the text says.

    Numbers, `x[n]`, `y[n]`, `+ - * / % ** & >>`, comparisons, `a if b else c`, and log, log10,
    exp, sqrt, abs, floor, round. Raises ValueError with what is not allowed; the function raises
    ArithmeticError or ValueError where there is no result (a logarithm of nothing).
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"{text!r} is no formula: {error.msg}") from None
    return _node(tree, text)


def _node(node: ast.expr, text: str) -> Formula:
    match node:
        case ast.Constant(value=value) if isinstance(value, int | float):
            constant = float(value)
            return lambda _x, _y: constant
        case ast.Subscript(value=ast.Name(id="x"), slice=ast.Constant(value=int(place))):
            return lambda x, _y: x[place]
        case ast.Subscript(value=ast.Name(id="y"), slice=ast.Constant(value=int(place))):
            return lambda _x, y: float(y[place])
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _node(operand, text)
            return lambda x, y: -inner(x, y)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            apply, a, b = _BINARY[type(op)], _node(left, text), _node(right, text)
            return lambda x, y: apply(a(x, y), b(x, y))
        case ast.Call(func=ast.Name(id=name), args=[only]) if name in _CALLS:
            call, argument = _CALLS[name], _node(only, text)
            return lambda x, y: call(argument(x, y))
        case ast.IfExp(test=ast.Compare(left=l, ops=[op], comparators=[r]), body=yes, orelse=no):
            if type(op) in _COMPARE:
                return _choice(_COMPARE[type(op)], *(_node(n, text) for n in (l, r, yes, no)))
    raise ValueError(f"{text!r}: {ast.unparse(node)!r} is not allowed in a formula")


_COMPARE: Final[dict[type[ast.cmpop], Callable[[float, float], bool]]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
}


def _choice(
    compare: Callable[[float, float], bool], a: Formula, b: Formula, yes: Formula, no: Formula
) -> Formula:
    return lambda x, y: yes(x, y) if compare(a(x, y), b(x, y)) else no(x, y)
