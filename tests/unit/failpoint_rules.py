"""Which steps lack their failpoints? Read from the source: a run would miss what it does not do.

A step's name is a literal where it is known, and handed on under the name `step`. The rules:

    named        every function that takes a `step` is given a literal of the list, or its own step
    writes       a statement that changes the database is executed under a step
    guarded      a call that another party sees stands inside `with failpoints.around(...)`
    doorways     nothing else opens a connection to another party
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_DML = frozenset({"insert", "update", "delete"})
_HITS = frozenset({"around", "before", "during", "after"})


@dataclass(frozen=True)
class Module:
    """One source file."""

    name: str
    tree: ast.Module

    @classmethod
    def of(cls, text: str, name: str = "sample.py") -> Module:
        tree = ast.parse(text)
        for node in ast.walk(tree):
            for child in ast.iter_child_nodes(node):
                child.parent = node  # type: ignore[attr-defined]
        return cls(name, tree)


@cache
def modules_of(root: Path, folder: str) -> tuple[Module, ...]:
    """Every module of the folder *root*/*folder*."""
    paths = sorted((root / folder).rglob("*.py"))
    return tuple(Module.of(path.read_text(), str(path.relative_to(root))) for path in paths)


def not_named(modules: Collection[Module], steps: Collection[str]) -> list[str]:
    """Where a step has no name of *steps*, and the names of *steps* that stand nowhere."""
    places = dict(_places_of_step(modules))
    problems, seen = [], set()
    for module, call in _calls(modules):
        name = _called(call)
        hit = name in _HITS and _source(call.func).startswith("failpoints.")
        if not hit and name not in places:
            continue
        given = call.args[0] if hit else _given(call, *places[name])
        if isinstance(given, ast.Constant) and given.value in steps:
            seen.add(given.value)
        elif isinstance(given, ast.Name) and given.id == "step" and _takes_step(_function(call)):
            pass
        elif given is not None or not places[name][1]:
            problems.append(f"{_where(module, call)}: {name} has no step of the list")
    return problems + [f"{step}: stands nowhere" for step in sorted(set(steps) - seen)]


def _places_of_step(modules: Collection[Module]) -> Iterator[tuple[str, tuple[int, bool]]]:
    """Of each function with a parameter `step`: its place in a call, and whether it may be left."""
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _takes_step(node):
                names = [each.arg for each in node.args.args if each.arg != "self"]
                left = len(names) - names.index("step") <= len(node.args.defaults)
                yield node.name, (names.index("step"), left)


def unwritten(modules: Collection[Module]) -> list[str]:
    """Statements that change the database, or may, in a transaction without a step."""
    problems = []
    for module in modules:
        for _, call in _calls([module]):
            name = _called(call)
            if name not in ("single", "transaction", "rows") or _has_step(call, name):
                continue
            if name == "transaction":
                text = _source(_function(call))
                fine = "failpoints.before(step)" in text and "failpoints.after(step)" in text
            else:
                fine = not _changes(module, _block(call))
            if not fine:
                problems.append(f"{_where(module, call)}: {name} changes the database unnamed")
    return problems


def _has_step(call: ast.Call, name: str) -> bool:
    place = 2 if name == "rows" else 0
    return len(call.args) > place or any(each.arg == "step" for each in call.keywords)


def _changes(module: Module, block: ast.AST) -> bool:
    """The block, or what of its module it mentions, builds an INSERT, UPDATE or DELETE."""
    defined: dict[str, list[ast.AST]] = {}
    function = _function(block)
    for node in (*module.tree.body, *(ast.walk(function) if function else ())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            defined.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    defined.setdefault(target.id, []).append(node)
    queue, done = [block], set()
    while queue:
        node = queue.pop()
        if id(node) in done:
            continue
        done.add(id(node))
        for each in ast.walk(node):
            if isinstance(each, ast.Call) and _called(each) in _DML:
                return True
            if isinstance(each, ast.Name):
                queue += defined.get(each.id, [])
    return False


def unguarded(modules: Collection[Module], pattern: str) -> list[str]:
    """Calls that read like *pattern* and that no `with failpoints.around(...)` encloses."""
    return [
        f"{_where(module, call)}: {_source(call.func)} has no failpoints"
        for module, call in _calls(modules)
        if re.fullmatch(pattern, _source(call.func)) and not _is_guarded(call)
    ]


def doors(modules: Collection[Module], pattern: str) -> set[str]:
    """The modules in which something is called that reads like *pattern*."""
    return {
        module.name for module, call in _calls(modules) if re.fullmatch(pattern, _source(call.func))
    }


def _calls(modules: Collection[Module]) -> Iterator[tuple[Module, ast.Call]]:
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                yield module, node


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else _source(call.func)


def _given(call: ast.Call, place: int, optional: bool) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == "step":
            return keyword.value
    return call.args[place] if len(call.args) > place else None


def _takes_step(function: ast.AST | None) -> bool:
    return isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and any(
        each.arg == "step" for each in (*function.args.args, *function.args.kwonlyargs)
    )


def _ancestors(node: ast.AST) -> Iterator[ast.AST]:
    while (parent := getattr(node, "parent", None)) is not None:
        yield parent
        node = parent


def _function(node: ast.AST) -> ast.AST | None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return next((each for each in _ancestors(node) if isinstance(each, kinds)), None)


def _block(call: ast.Call) -> ast.AST:
    """What runs on the connection: the block that the call opens, or else the call itself."""
    blocks = (ast.With, ast.AsyncWith)
    for each in _ancestors(call):
        if isinstance(each, blocks):
            if any(call in ast.walk(item) for item in each.items):
                return each
            return call
    return call


def _is_guarded(call: ast.Call) -> bool:
    return any(
        isinstance(each, ast.With | ast.AsyncWith)
        and any(_source(item.context_expr).startswith("failpoints.around(") for item in each.items)
        for each in _ancestors(call)
    )


def _source(node: ast.AST | None) -> str:
    return ast.unparse(node) if node is not None else ""


def _where(module: Module, node: ast.expr) -> str:
    return f"{module.name}:{node.lineno}"
