"""A plan as a person reads it: what fits, how fast, what limits it, what to change, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.markup import escape

from api import terminal
from rag.planning.plan import Plan, Speed


def show_plan(plan: Plan, notes: Sequence[str] = ()) -> None:
    for line in lines(plan, notes):
        terminal.out.print(line)


def lines(plan: Plan, notes: Sequence[str] = ()) -> Iterator[str]:
    """In the markup of rich."""
    model, device, wish, memory = plan.model, plan.device, plan.wish, plan.memory
    active = f", {_count(model.active_parameters)} of them for a token" if model.experts else ""
    yield f"[bold]{escape(model.name)}[/] in {plan.precision}: {_count(model.parameters)} parameters{active}; {model.attention.name}, {model.layers} layers"
    number = f"{wish.devices} × " if wish.devices > 1 else ""
    yield f"on {number}[bold]{escape(device.name)}[/] ({device.memory:g} GB, {device.bandwidth:,g} GB/s{' each' if wish.devices > 1 else ''}; {escape(device.source)})"
    yield ""
    each = " on each" if wish.devices > 1 else ""
    yield f"[bold]Memory[/]{each}: {_gb(memory.usable)} of {device.memory:g} GB can be used"
    of = f" ({_gb(memory.weights_total)} in all)" if wish.devices > 1 else ""
    yield f"  weights            {_gb(memory.weights):>10}{of}"
    yield f"  running            {_gb(memory.runtime + memory.activations):>10}"
    left, size = ("left for caches", memory.free) if memory.free > 0 else ("[red]missing[/]        ", -memory.free)
    yield f"  {left}    {_gb(size):>10}   {memory.cache_per_token / 1e3:,.1f} KB a token in {wish.cache}"
    yield from _fit(plan)
    yield ""
    if plan.speed is not None:
        yield from _speed(plan, plan.speed)
        yield ""
    if plan.advice:
        yield "[bold]To change[/]"
        yield from _list(plan.advice)
        yield ""
    yield "[dim]It rests on[/]"
    yield from (f"[dim]{line}[/]" for line in _list([*_rests_on(plan), *notes]))


def _fit(plan: Plan) -> Iterator[str]:
    memory, wish = plan.memory, plan.wish
    if memory.free <= 0:
        yield f"[red]The weights do not fit.[/] {_needed(plan)}"
    elif not memory.users:
        yield f"[red]Not one context of {wish.context:,} tokens fits[/] ({_gb(memory.cache_per_user)}). {_needed(plan)}"
    else:
        colour = "green" if memory.users >= wish.users else "yellow"
        yield f"[{colour}]{memory.users:,} users fit[/] with {wish.context:,} tokens each ({_gb(memory.cache_per_user)}); asked for: {wish.users:,}"


def _needed(plan: Plan) -> str:
    if plan.least_devices is None:
        return "No number of these devices holds it."
    return f"It takes {plan.least_devices} of these devices."


def _speed(plan: Plan, speed: Speed) -> Iterator[str]:
    wish = plan.wish
    waiting = f" ({wish.users - speed.users:,} wait)" if wish.users > speed.users else ""
    who = "one user" if speed.users == 1 else f"{speed.users:,} users at once{waiting}"
    yield f"[bold]Speed[/] for {who}, {wish.context - wish.answer:,} tokens of prompt and {wish.answer:,} of answer each"
    yield f"  writing            {speed.each:>10,.1f} tokens/s each, {speed.total:,.0f} in all; limited by {speed.step.limit}"
    yield f"  reading a prompt   {speed.prompt.seconds:>10,.2f} s with nobody else there; limited by {speed.prompt.limit}"
    yield f"  questions          {speed.questions_per_minute:>10,.1f} a minute, when everybody asks again at once"
    yield f"  ceiling            {speed.ceiling:>10,.1f} tokens/s each, if nothing were lost"


def _rests_on(plan: Plan) -> Iterator[str]:
    assumed = plan.wish.assumed
    yield f"{assumed.bandwidth:.0%} of the memory's bandwidth while writing, {assumed.compute:.0%} of the multiplications while reading"
    if plan.wish.devices > 1:
        yield f"tensor parallelism, {assumed.link_seconds * 1e6:.0f} µs for an all-reduce, two a layer"
    if plan.model.experts:
        yield "even routing: a batch reads each expert as often as another"
    if plan.device.shared:
        yield "a quarter of the machine's memory for the system and the service; the figures of bandwidth and TFLOPS as given: measure them"
    yield "an engine that batches continuously; what it adds of its own is not counted (docs/plan.md compares with published figures)"


def _list(items: Iterable[str]) -> Iterator[str]:
    return (f"  - {escape(item)}" for item in items)


def _count(parameters: int) -> str:
    return f"{parameters / 1e9:,.1f} B" if parameters >= 1e9 else f"{parameters / 1e6:,.0f} M"


def _gb(size: float) -> str:
    return f"{size / 1e9:,.1f} GB" if abs(size) >= 1e9 else f"{size / 1e6:,.0f} MB"
