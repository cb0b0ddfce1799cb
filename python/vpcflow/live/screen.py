"""The screen of ``vpcflow live``, by textual: panels that follow a source, and keys."""

from __future__ import annotations

import asyncio
import signal
import threading
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Callable, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.events import Resize
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from .._display import can_show, printable
from .._layout import cut_off, shortened, wrapped
from ..errors import DataQualityWarning, VpcflowError
from ..findings.evidence import is_address
from ..trace import trace
from .picture import (
    course_lines,
    finding_line,
    findings_title,
    heading,
    panel_lines,
    panel_sums,
    unseen_lines,
)
from .pivot import about_address, about_finding, about_trace, where_of
from .reading import Reading, Told
from .saving import save
from .sources import Source
from .view import PANELS, View, check_where, view

_MOST_UNSEEN = 4  # lines
_NARROW = 64  # columns below which panels stand below each other
_SPANS: tuple[int | None, ...] = (900, 3600, 6 * 3600, 24 * 3600, None)
_MEASURES = ("bytes", "packets", "records")
_KEYS = "q quit  / filter  enter look closer  s sort  [ ] span  p pause  w write  u not seen  ? help"
_SHORT_KEYS = "q quit  ? help  / filter  s sort  p pause"
_HELP = """Keys
  tab, shift+tab   go to the next panel, the one before
  up, down         go to a row
  enter            look closer: an address is traced, a port becomes the filter, a finding shows its evidence
  /                filter: a condition on flows, such as  dstport = 22 and srcaddr in '10.0.0.0/8'
  escape           close what is open; clear the filter
  s                rank talkers and ports by bytes, packets, records
  [ ]              show a shorter, a longer time
  u                what is not seen, all of it
  w                write what is shown to a file in this folder
  p                pause, go on
  r                read again now
  q, ctrl+c        quit

Above all stands what is not seen. `other` is what no row has, `total` is all."""


class StoppedError(Exception):
    """A reading that nobody waits for any more."""


class Rows(OptionList):
    """Lines of which one is chosen. They are drawn anew only where they differ."""

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self._headed = ""
        self._drawn: list[str] = []
        self.keys: list[Any] = []

    def show(self, title: str, lines: Sequence[tuple[str, Any]]) -> None:
        """Shows lines, each with what it stands for; ``None`` leads nowhere."""
        if title != self._headed:
            self._headed, self.border_title = title, Text(title)
        texts = [line for line, _ in lines]
        self.keys = [key for _, key in lines]
        if len(texts) == len(self._drawn):
            for i, (new, old) in enumerate(zip(texts, self._drawn)):
                if new != old:
                    self.replace_option_prompt_at_index(i, Text(new, no_wrap=True))
        else:
            chosen = self.highlighted
            self.clear_options()
            self.add_options([Option(Text(text, no_wrap=True)) for text in texts])
            if chosen is not None and texts:
                self.highlighted = min(chosen, len(texts) - 1)
        self._drawn = texts


class Page(ModalScreen[str]):
    """Lines over the panels; ends with a condition that they asked for, or with none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", "close"), Binding("f", "filter", "filter"), Binding("t", "trace", "trace"),
    ]  # fmt: skip

    def __init__(self, title: str, lines: Sequence[str], address: str | None = None) -> None:
        super().__init__()
        self._title, self._lines, self._address = title, list(lines), address

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="page"):
            yield Static(id="lines")

    def on_mount(self) -> None:
        """Shows the lines that there are."""
        _suit(self)
        keys = "escape back  up, down scroll" + ("  f filter by it  t trace" if self._address else "")
        self.query_one("#page").border_title = Text(shortened(printable(self._title), 60))
        self.query_one("#page").border_subtitle = Text(keys)
        self.add([])

    def add(self, lines: Sequence[str]) -> None:
        """Adds lines at the end."""
        self._lines += lines
        self.query_one("#lines", Static).update(Text("\n".join(self._lines)))

    def action_close(self) -> None:
        """Goes back to the panels."""
        self.dismiss("")

    def action_filter(self) -> None:
        """Goes back, and shows the flows of the address alone."""
        if self._address:
            self.dismiss(where_of(self._address))

    def action_trace(self) -> None:
        """Traces the address of a finding."""
        if self._address and isinstance(self.app, LiveApp):
            app, address = self.app, self._address
            self.dismiss("")
            app.call_later(app.look_at, address)


class LiveApp(App[int]):
    """The panels of a source. ``refresh_seconds``: how often it looks for something new."""

    ENABLE_COMMAND_PALETTE = False
    # The terminal's own colours: text is as it has it, and what stands out is so without colour, too.
    CSS = """
    * { background: ansi_default; color: ansi_default; scrollbar-background: ansi_default; scrollbar-color: ansi_blue; }
    #head { height: auto; max-height: 3; text-style: bold; }
    #body { height: 1fr; scrollbar-size-vertical: 1; }
    #unseen { height: auto; max-height: 5; color: ansi_yellow; }
    #courses { height: 3; margin-top: 1; }
    #findings { height: auto; min-height: 2; max-height: 6; }
    #panels { layout: grid; grid-size: 2; grid-gutter: 0 2; height: 1fr; }
    Rows, Rows:focus { border: none; border-top: solid ansi_blue; padding: 0; height: 1fr; scrollbar-size-vertical: 1; }
    Rows:focus { border-top: heavy ansi_cyan; border-title-style: reverse; }
    Rows > .option-list--option-highlighted { background: ansi_default; color: ansi_default; text-style: none; }
    Rows:focus > .option-list--option-highlighted { text-style: reverse; }
    #where, #where:focus { border: none; height: 1; padding: 0; }
    #where, #error { display: none; }
    #error { height: auto; max-height: 6; text-style: bold; }
    #keys { height: 1; text-style: dim; }
    #page { border: solid ansi_cyan; padding: 0 1; scrollbar-size-vertical: 1; }
    .narrow #panels { layout: vertical; height: auto; }
    .narrow #panels Rows { height: 8; }
    .narrow #body { overflow-y: auto; }
    .ascii Rows { border-top: ascii ansi_blue; }
    .ascii Rows, .ascii #body, .ascii #page { scrollbar-size-vertical: 0; }
    .ascii #page { border: ascii ansi_cyan; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", "quit", priority=True, show=False), Binding("q", "quit", "quit"),
        Binding("slash", "ask", "filter", priority=True), Binding("p", "pause", "pause"), Binding("s", "sort", "sort"),
        Binding("left_square_bracket", "span(-1)", "shorter"), Binding("right_square_bracket", "span(1)", "longer"),
        Binding("u", "unseen", "not seen"), Binding("question_mark", "help", "help"), Binding("r", "read", "read"),
        Binding("escape", "leave", "back"), Binding("w", "save", "write"),
    ]  # fmt: skip

    def __init__(
        self, source: Source, first: Reading, *, span: int | None, refresh: float, where: str = "", rows: int = 10
    ) -> None:  # fmt: skip
        super().__init__(ansi_color=True)
        self._source, self._reading, self._period, self._rows = source, first, refresh, rows
        self._span, self._where, self._measure = span, where, "bytes"
        self._paused, self._trouble, self._said = False, "", ""
        self._busy: threading.Thread | None = None
        self._asked_from: Widget | None = None  # where the focus was before the question
        self._again = False  # a reading was asked for while one goes on
        self._stop = threading.Event()
        self._texts: dict[str, str] = {}
        self.shown: View | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        with Container(id="body"):
            yield Static(id="unseen")
            yield Static(id="courses")
            yield Rows("findings")
            with Container(id="panels"):
                for name in PANELS:
                    yield Rows(name)
        yield Input(id="where", placeholder="a condition on flows: dstport = 22", compact=True)
        yield Static(id="error")
        yield Static(id="keys")

    def on_mount(self) -> None:
        """Shows the first reading, and begins to look for more."""
        _suit(self.screen)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with suppress(ValueError, RuntimeError, NotImplementedError):  # not in the main thread
                loop.add_signal_handler(number, self.exit, 128 + number)
        self.set_interval(self._period, self._look)
        self.query_one("#findings").focus()
        self.call_after_refresh(self._draw)

    def on_unmount(self) -> None:
        """Lets a reading that goes on end."""
        self._stop.set()

    def on_resize(self, event: Resize) -> None:
        """Puts the panels below each other where there is no room beside."""
        self.screen.set_class(event.size.width < _NARROW, "narrow")
        self.call_after_refresh(self._draw)

    # -- reading, in a thread of its own

    def _look(self) -> None:
        if not self._paused:
            self._read(only_new=True)

    def _read(self, only_new: bool = False) -> None:
        if self._busy is not None and self._busy.is_alive():
            self._again = self._again or not only_new
            return
        question = (self._span, self._where, self._measure, self._rows)
        self._busy = threading.Thread(target=self._run, args=(only_new, question), daemon=True)
        self._busy.start()

    def _run(self, only_new: bool, question: tuple[int | None, str, str, int]) -> None:
        span, where, measure, rows = question
        try:
            reading = self._reading
            if not only_new or self._source.is_new():
                reading = self._source.read(span, self._go_on)
            made = view(reading, span=span, where=where, rows=rows, measure=measure)
        except StoppedError:
            return
        except VpcflowError as error:
            self._tell(self._failed, str(error))
        else:
            self._tell(self._take, reading, made)

    def _go_on(self, *_: int) -> None:
        if self._stop.is_set():
            raise StoppedError

    def _tell(self, what: Callable[..., None], *args: Any) -> None:
        with suppress(RuntimeError):  # the app has ended
            self.call_later(what, *args)

    def _failed(self, error: str) -> None:
        self._trouble = error.splitlines()[0]
        self._draw()

    def _take(self, reading: Reading, made: View) -> None:
        self._reading, self._trouble, self._said = reading, "", ""
        self._draw(made)
        if self._again:
            self._again = False
            self._read()

    # -- drawing

    def _draw(self, made: View | None = None) -> None:
        if not self.query("#keys"):  # it ends
            return
        if made is None:
            made = self.shown
        if made is None:
            made = view(self._reading, span=self._span, where=self._where, rows=self._rows, measure=self._measure)
        self.shown = made
        width = max(self.size.width - (2 if self.screen.has_class("narrow") else 1), 20)  # beside a bar
        head = heading(made, width)
        if self._paused:
            head = f"PAUSED {head}"
        if self._said:
            head += f"\n{shortened(self._said, width)}"
        if self._trouble:
            head += f"\ncannot be read now, will be retried: {printable(self._trouble)}"
        self._set("head", head)
        self._set("unseen", "\n".join(_briefly(unseen_lines(made), width)))
        self._set("courses", "\n".join(course_lines(made, width)))
        findings = self.query_one("#findings", Rows)
        told = [(cut_off(finding_line(one), width - 2), one) for one in made.told[:100]]
        findings.show(findings_title(made), told or [("none", None)])
        room = (width if self.screen.has_class("narrow") else (width - 2) // 2) - 2
        for name, panel in made.panels.items():
            self.query_one(f"#{name}", Rows).show(panel_sums(panel), panel_lines(panel, room))
        self._set("keys", cut_off(_KEYS if width > len(_KEYS) else _SHORT_KEYS, width))

    def _set(self, name: str, text: str) -> None:
        if self._texts.get(name) != text:
            self._texts[name] = text
            self.query_one(f"#{name}", Static).update(Text(text))

    # -- keys

    def action_pause(self) -> None:
        """Stops to look for something new, or goes on."""
        self._paused = not self._paused
        self._draw()
        self._look()

    def action_read(self) -> None:
        """Reads again."""
        self._read()

    def action_sort(self) -> None:
        """Ranks by the next measure."""
        self._measure = _MEASURES[(_MEASURES.index(self._measure) + 1) % len(_MEASURES)]
        self._read()

    def action_span(self, step: int) -> None:
        """Shows a shorter or a longer time."""
        longer = [one for one in _SPANS if one is None or (self._span is not None and one > self._span)]
        shorter = [one for one in _SPANS if one is not None and (self._span is None or one < self._span)]
        chosen = (longer[:1] if step > 0 else shorter[-1:]) if self._span is not None or step < 0 else []
        if chosen:
            self._span = chosen[0]
            self._read()

    def action_save(self) -> None:
        """Writes what is shown to a file, and says where it is, until the next reading."""
        if self.shown is None:
            return
        try:
            path = save(self.shown, self._source.command, span=self._span, rows=self._rows)
            self._said = f"written: {printable(path)}"
        except VpcflowError as error:
            self._said = f"not written: {printable(str(error))}"
        self._draw()

    def action_help(self) -> None:
        """Shows the keys."""
        width = self.size.width - 4
        self._open("Keys", [part for line in _HELP.splitlines() for part in wrapped(line, width, " " * 19) or [""]])

    def action_unseen(self) -> None:
        """Shows all that is not seen."""
        if self.shown is not None:
            lines = unseen_lines(self.shown)
            self._open("Not seen", [part for line in lines for part in wrapped(line, self._room, "    ")])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tells whether a key is for an action now: in a question, and on a page, a slash is none."""
        return action != "ask" or not (isinstance(self.focused, Input) or isinstance(self.screen, Page))

    def action_ask(self) -> None:
        """Asks for a condition."""
        asked = self.query_one("#where", Input)
        asked.value = self._where
        self._asked_from = self.focused
        asked.display = True
        self.screen.set_focus(asked)  # at once: what is typed next is for it

    def action_leave(self) -> None:
        """Closes the question, or clears the condition."""
        if self.query_one("#where").display:
            self._close_question()
        elif self._where:
            self.filter_by("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Takes a condition, or shows what is wrong with it below it."""
        where = event.value.strip()
        try:
            if where:
                check_where(self._reading, where)
        except VpcflowError as error:
            lines = [printable(line) for line in str(error).splitlines()]
            self._set("error", "\n".join(lines))
            self.query_one("#error").display = True
            return
        self._close_question()
        self.filter_by(where)

    def _close_question(self) -> None:
        self.query_one("#where").display = self.query_one("#error").display = False
        self.screen.set_focus(self._asked_from or self.query_one("#findings"))

    def filter_by(self, where: str) -> None:
        """Shows the flows for which a condition holds."""
        self._where = where
        self._read()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Looks closer at a row."""
        rows = event.option_list
        key = rows.keys[event.option_index] if isinstance(rows, Rows) else None
        if isinstance(key, Told):
            actor = key.finding.actor if is_address(key.finding.actor) else None
            self._open(f"{key.finding.severity} {key.finding.detector}", about_finding(key, self._room), actor)
        elif key is not None and is_address(key):
            self.look_at(key)
        elif key is not None:
            self.filter_by(key)

    @property
    def _room(self) -> int:
        return max(self.size.width - 6, 20)

    def _open(self, title: str, lines: Iterable[str], address: str | None = None) -> Page:
        page = Page(title, list(lines), address)
        self.push_screen(page, lambda where: self.filter_by(where) if where else None)
        return page

    def look_at(self, address: str) -> None:
        """Shows what is known of an address, and its trace in the logs if they are there."""
        page = self._open(address, about_address(self._reading, address, self._source.logs, self._room), address)
        if self._source.flows is None:
            return
        make, room = self._source.flows, self._room

        def run() -> None:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DataQualityWarning)
                    found = about_trace(trace(make(), address, progress=self._go_on), room)
            except StoppedError:
                return
            except VpcflowError as error:
                found = [f"The trace failed: {line}" for line in printable(str(error)).splitlines()]
            self._tell(lambda: page.add(["", "Trace", *found]) if page.is_attached else None)

        threading.Thread(target=run, daemon=True).start()


def _suit(screen: Screen[Any]) -> None:
    """Draws a screen in ASCII where the terminal has nothing else."""
    screen.set_class(not can_show("▁"), "ascii")


def _briefly(lines: Sequence[str], width: int) -> list[str]:
    """Returns the first lines, each cut at the width."""
    kept = [cut_off(f"  {line}", width) for line in lines[:_MOST_UNSEEN]]
    some = f", the worst {_MOST_UNSEEN} of {len(lines)}" if len(lines) > _MOST_UNSEEN else ""
    return [cut_off(f"Not seen{some} (u shows all)", width), *kept]


def run_screen(source: Source, first: Reading, *, span: int | None, refresh: float, where: str, rows: int) -> int:
    """Runs the screen until it is quit, and returns the exit code."""
    app = LiveApp(source, first, span=span, refresh=refresh, where=where, rows=rows)
    code = app.run(mouse=False)
    return code or 0
