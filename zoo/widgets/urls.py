"""Inputs whose value is in the URL."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import streamlit as st

from zoo.widgets.safety import plain

MEMORY = " in URL"  # what follows the key of an input where its last value in the URL is kept


def enter(page: str) -> None:
    """Note which page the frame is about to run.

    While one stays on a page, a parameter that vanishes from the URL was taken back; on arrival it was just not given.
    Older links wrote "data" where parameters are called "dataset" now.
    """
    if page != st.session_state.get("page"):
        for name in [name for name in st.query_params if name == "data" or name.endswith("_data")]:
            st.query_params[f"{name}set"] = st.query_params.get_all(name)
            del st.query_params[name]
        st.session_state["page"] = page
        st.session_state["visit"] = st.session_state.get("visit", 0) + 1


def bound(widget: Callable[..., Any], label: str, *args: Any, key: str, default: Any, **options: Any) -> Any:
    """Draw an input whose value is in the URL as ?key=… and survives a change of page; return its value.

    Streamlit's own `bind="query-params"` writes the displayed labels into the URL and, once a page was visited,
    ignores the parameters of a link that leads back to it. Here the URL holds `str(option)`, a link always wins over
    what was chosen before, and a value equal to `default` leaves the URL clean. Where a link asks for what cannot be
    chosen, a caption says so below the input until something else is chosen.

    Args:
        widget: an input of Streamlit, e.g. `st.slider`, `st.selectbox`, `st.multiselect`, `st.toggle`, `st.text_input`.
        args, options: its own arguments, except its initial value, `key` and `bind`. Choices come as the first of
            `args`, bounds of numbers as `min_value` and `max_value`.
        default: the initial value (a list for several choices); a stored value that is no longer allowed returns to it.
    """
    memory = f"{key}{MEMORY}"
    texts = tuple(st.query_params.get_all(key))
    visit = st.session_state.get("visit")
    known = st.session_state.get(memory, (visit, None, (), ""))
    value = st.session_state.get(key, known[1] if memory in st.session_state else default)
    untouched = memory not in st.session_state or value == known[1]
    refused = known[3] if untouched and visit == known[0] else ""
    if untouched and texts != known[2] and (texts or visit == known[0]):
        value, understood = _parse(texts, args, default)
        if not understood or value != _allowed(value, args, options, default):
            refused = ", ".join(texts)
    value = _allowed(value, args, options, default)
    st.session_state[key] = value
    value = widget(label, *args, key=key, **options)
    written = () if value == default or value is None else tuple(map(str, value if _several(value) else [value]))
    if written != texts:
        if written:
            st.query_params[key] = list(written)
        else:
            del st.query_params[key]
    if refused:
        st.caption(
            f":material/link_off: The link asks for {plain(refused[:100])}, which cannot be chosen here ({label})."
        )
    st.session_state[memory] = (visit, value, written, refused)
    return value


def refusals(prefix: str) -> list[str]:
    """Return what links asked for in vain of inputs whose keys begin so: for those that are out of sight."""
    kept = [
        value for key, value in st.session_state.items() if str(key).startswith(prefix) and str(key).endswith(MEMORY)
    ]
    return [refused for *_, refused in kept if refused]


def linked_expander(label: str, *prefixes: str, icon: str) -> Any:
    """Return an expander for inputs whose keys start with a prefix; it is open where the URL sets one of them."""
    memory, visit = f"{prefixes[0]} opened", st.session_state.get("visit")
    if any(key.startswith(prefixes) for key in st.query_params):
        st.session_state[memory] = visit  # it stays open on this visit, also when its inputs return to their defaults
    return st.expander(label, icon=icon, expanded=memory in st.session_state and st.session_state[memory] == visit)


def _several(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _parse(texts: Sequence[str], args: Sequence[Any], default: Any) -> tuple[Any, bool]:
    """Read a value back from the URL: the value, and whether all of it was understood; else the default stands in."""
    if args and isinstance(args[0], Iterable):
        options = {str(option): option for option in args[0]}
        found = list(dict.fromkeys(options[text] for text in texts if text in options))  # a link may name one twice
        chosen = (found or default) if _several(default) else (found[0] if found else default)
        return chosen, len(found) == len(set(texts))
    kinds = default if _several(default) else [default]
    try:
        found = [_scalar(text, kind) for text, kind in zip(texts, kinds, strict=True)]
    except ValueError:
        return default, not texts
    return (type(default)(found) if _several(default) else found[0]), True


def _scalar(text: str, like: Any) -> Any:
    if isinstance(like, bool):
        return text == "True"
    if isinstance(like, float) and not math.isfinite(float(text)):
        raise ValueError(text)
    return type(like)(text)[:200] if isinstance(like, str) else type(like)(text)


def _allowed(value: Any, args: Sequence[Any], options: dict[str, Any], default: Any) -> Any:
    """Bring a stored value into the choices or bounds that the widget has now."""
    if args and isinstance(args[0], Iterable):
        choices = list(args[0])
        if _several(default):
            return [item for item in value if item in choices][: options.get("max_selections")] or default
        return value if value in choices else default
    low, high = options.get("min_value"), options.get("max_value")
    if low is None or high is None:
        return value
    return type(value)(min(max(v, low), high) for v in value) if _several(value) else min(max(value, low), high)
