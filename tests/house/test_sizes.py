"""A function fits on a screen and a module in a sitting; both open by saying what they are for."""

import ast
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, python_files, text, tree

LONGEST_FUNCTION = 60
LONGEST_MODULE = 400
MODULES = python_files(*PACKAGES, "tests", "bench")


def long_functions(module: ast.Module) -> list[str]:
    return [
        f"{node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]


@pytest.mark.parametrize("name", MODULES, ids=str)
def test_a_function_has_at_most_sixty_lines(name: Path) -> None:
    assert long_functions(tree(name)) == []


@pytest.mark.parametrize("name", MODULES, ids=str)
def test_a_module_has_at_most_four_hundred_lines(name: Path) -> None:
    assert len(text(name).splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("name", MODULES, ids=str)
def test_a_module_opens_by_saying_what_it_is_for(name: Path) -> None:
    says = ast.get_docstring(tree(name)) or ""
    assert says or not text(name).strip(), "a module with code needs a docstring"
    assert len(says.splitlines()) <= 8


def test_a_long_function_is_noticed() -> None:
    body = "\n".join("    x = 1" for _ in range(LONGEST_FUNCTION))
    assert long_functions(ast.parse(f"def f():\n{body}\n")) == ["f has 61 lines"]
