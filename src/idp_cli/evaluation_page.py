"""The report of an evaluation as one HTML file, which asks nothing of any other address.

Everything that comes from labels, paths and models is escaped. The Content-Security-Policy in the file allows its own
style sheet by its hash, and nothing else.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from idp_cli.evaluation_text import (
    PARTS,
    cost_line,
    documents_of,
    finding_words,
    judged_lines,
    out_of_scope_lines,
    repeatability,
    short_name,
    subject_of,
)
from idp_cli.loss_plot import loss_plot

if TYPE_CHECKING:
    from idp_sdk import ContestantScores, EvaluationReport, Interval, LossCurve

_STYLE = """
:root { color-scheme: light dark; --text: #16191f; --back: #fff; --weak: #5f6b7a; --line: #d1d5db; --mark: #0972d3;
  --good: #037f0c; --bad: #d91515; --cell: 9, 114, 211; }
@media (prefers-color-scheme: dark) { :root { --text: #e9ebed; --back: #0f1b2a; --weak: #a4b0be; --line: #414d5c;
  --mark: #539fe5; --good: #29ad32; --bad: #eb6f6f; --cell: 83, 159, 229; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 68rem; color: var(--text); background: var(--back);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
p { margin: .5rem 0; max-width: 52rem; } .weak { color: var(--weak); }
.verdict { border-left: 4px solid var(--mark); padding: .25rem 0 .25rem 1rem; font-size: 1.1rem; }
.stand-in { border: 1px solid var(--bad); padding: .5rem 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; } th, td { padding: .3rem .75rem; text-align: left;
  border-bottom: 1px solid var(--line); vertical-align: top; }
td { overflow-wrap: anywhere; } th { color: var(--weak); font-weight: 600; } td.number, th.number { text-align: right;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
.matrix thead th { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; white-space: nowrap; }
svg { display: block; width: 100%; max-width: 52rem; height: auto; } svg text { fill: currentColor; font-size: 13px; }
.axis { stroke: var(--line); } .whisker { stroke: var(--mark); stroke-width: 2; } .dot { fill: var(--mark); }
.loss { fill: none; stroke: var(--mark); stroke-width: 2; } .loss-end { fill: var(--mark); }
.loss.validation { stroke: var(--good); stroke-dasharray: 6 4; } .loss-end.validation { fill: var(--good); }
.zero { stroke: var(--weak); stroke-dasharray: 4 3; }
.right { color: var(--good); } .wrong { color: var(--bad); font-weight: 600; }
@media print { :root { --text: #000; --back: #fff; --weak: #444; --line: #999; --mark: #0972d3; --good: #037f0c;
    --bad: #d91515; }
  body { max-width: none; padding: 0; font-size: 11pt; } h2 { break-after: avoid; }
  .wide { overflow: visible; } table { font-size: 8pt; } th, td { padding: .15rem .3rem; }
  td.number, th.number { white-space: normal; }
  tr, svg { break-inside: avoid; } }
"""
_METRICS = {"PAGES": "Pages with the right class", "SECTIONS": "Sections found exactly"}
_MOST_CLASSES = 40  # a matrix of more is no longer read


def evaluation_page(report: EvaluationReport, *, losses: LossCurve | None = None, stand_in: str | None = None) -> str:
    """Return the report as HTML, with the losses of the training; `stand_in` says that the models were no real ones."""
    style_hash = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    subject = subject_of(report)
    custom, base = (item if item.pages else None for item in report.contestants[:2])
    body = [
        f"<h1>{'Evaluation of a fine-tuned model' if report.job_id else 'Evaluation before training'}</h1>",
        f'<p class="weak">Evaluation {report.number} of {escape(subject)}, {escape(report.created_at)}: '
        f"{report.documents} documents, {report.pages} pages from {escape(documents_of(report))}"
        f"{'; the model was trained with none of them' if report.job_id else ''}</p>",
        f'<p class="stand-in"><strong>{escape(stand_in)}</strong></p>' if stand_in else "",
        f'<p class="verdict">{escape(report.sentence)}</p>',
        *(f"<p>{escape(item.sentence)}</p>" for item in report.comparisons if item.sentence != report.sentence),
        f"<h2>{_METRICS[report.metric]}, with 95 % intervals</h2>",
        _share_plot(report),
        f"<h2>Gain of {escape(report.contestants[0].name)}: {_METRICS[report.metric].lower()}, in points</h2>"
        if report.comparisons
        else "",
        _gain_plot(report),
        "<h2>Scores</h2>",
        _contestants(report.contestants),
        f'<p class="weak">Repeatability: {escape(repeatability(report))}. Cost: {escape(cost_line(report))}.</p>',
        *(f'<p class="weak">{escape(line)}</p>' for line in judged_lines(report)),
        *_parts(report),
        "<h2>Classes</h2>",
        _classes(custom, base, short_name(report.contestants[1])),
        *(_matrix(item) for item in (custom, base) if item is not None),
        *_list("Documents of no class", out_of_scope_lines(report)),
        *loss_plot(losses),
        "<h2>Pages to look at</h2>",
        _findings(report),
        *_list("Left out", [f"{item.path}: {item.reason}" for item in report.left_out]),
        *_list("Notes", report.notes),
    ]
    content = "\n".join(part for part in body if part)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{style_hash}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evaluation of {escape(subject)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
{content}
</main>
</body>
</html>
"""


def _share_plot(report: EvaluationReport) -> str:
    shares = [
        (item.name, item.accuracy if report.metric == "PAGES" else item.exact_sections)
        for item in report.contestants
        if item.accuracy and item.exact_sections
    ]
    return _plot([(name, interval) for name, interval in shares if interval], 0.0, 1.0, "%")


def _gain_plot(report: EvaluationReport) -> str:
    gains = [(f"over {item.name}", item.comparison.difference) for item in report.comparisons]
    return _plot(gains, -1.0, 1.0, "points")


def _plot(rows: Sequence[tuple[str, Interval]], low: float, high: float, unit: str) -> str:
    """Return a dot and a whisker for each row on an axis from low to high; a description stands for the picture."""
    if not rows:
        return ""
    left, width, row_height = 290, 440, 34
    height = row_height * len(rows) + 30

    def place(value: float) -> float:
        return round(left + width * (value - low) / (high - low), 1)

    marks = [low + (high - low) * step / 4 for step in range(5)]
    described = "; ".join(f"{name} {_percent(interval)}" for name, interval in rows)
    parts = [f'<svg viewBox="0 0 800 {height}" role="img" aria-label="{escape(described)}">']
    for mark in marks:
        kind = "zero" if low < 0 and mark == 0 else "axis"
        parts.append(f'<line class="{kind}" x1="{place(mark)}" x2="{place(mark)}" y1="4" y2="{height - 24}"/>')
        label = f"{100 * mark:+.0f}" if low < 0 and mark else f"{100 * mark:.0f}"
        parts.append(f'<text x="{place(mark)}" y="{height - 6}" text-anchor="middle">{label}</text>')
    for number, (name, interval) in enumerate(rows):
        y = number * row_height + 20
        parts += [
            f'<text x="0" y="{y + 5}">{escape(name)}</text>',
            f'<line class="whisker" x1="{place(interval.lower)}" x2="{place(interval.upper)}" y1="{y}" y2="{y}"/>',
            f'<circle class="dot" cx="{place(interval.value)}" cy="{y}" r="5"/>',
            f'<text x="{left + width + 10}" y="{y + 5}">{100 * interval.value:{"+" if low < 0 else ""}.1f}</text>',
        ]
    return "".join([*parts, "</svg>", f'<p class="weak">in {escape(unit)}</p>'])


def _percent(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    return f"{100 * interval.value:.1f} ({100 * interval.lower:.1f} to {100 * interval.upper:.1f})"


def _contestants(contestants: Sequence[ContestantScores]) -> str:
    head = (
        *("contestant", "pages right, %", "sections exact, %", "macro F1", "weighted F1", "boundary F1"),
        *("files without error", "unusable"),
    )
    rows = []
    for item in contestants:
        if item.pages is None or item.split is None:
            rows.append([f"{item.name}: not scored. {item.reason or ''}", *[""] * 7])
            continue
        rows.append(
            [
                item.name,
                _percent(item.accuracy),
                _percent(item.exact_sections),
                f"{item.pages.macro_f1:.3f}",
                f"{item.pages.weighted_f1:.3f}",
                f"{item.split.boundaries.f1:.3f}" if item.split.boundaries.labelled else "-",
                f"{item.split.files_without_error} of {item.split.files}",
                str(item.pages.unusable),
            ]
        )
    return _table(head, rows)


def _parts(report: EvaluationReport) -> list[str]:
    rows = [
        [item.name, PARTS[part.part], str(part.documents), _percent(part.accuracy), _percent(part.exact_sections)]
        for item in report.contestants
        for part in item.parts
    ]
    head = ("contestant", "files", "number", "pages right, %", "sections exact, %")
    return ["<h2>Packets and single documents</h2>", _table(head, rows)] if rows else []


def _classes(custom: ContestantScores | None, base: ContestantScores | None, other: str) -> str:
    if custom is None or custom.pages is None:
        return "<p>There are no scores.</p>"
    of_base = {item.name: item for item in base.pages.classes} if base and base.pages else {}
    rows = [
        [
            item.name,
            str(item.support),
            f"{item.precision:.2f}",
            f"{item.recall:.2f}",
            f"{item.f1:.2f}",
            f"{of_base[item.name].f1:.2f}" if item.name in of_base else "-",
        ]
        for item in custom.pages.classes
    ]
    return _table(("class", "pages", "precision", "recall", "F1", f"F1, {other}"), rows)


def _matrix(scores: ContestantScores) -> str:
    """Return the confusion matrix: a row for each label, a column for each answer, the unusable ones last."""
    if scores.pages is None:
        return ""
    counts = {(item.truth, item.given): item.pages for item in scores.pages.confusions}
    labels = sorted({truth for truth, _ in counts})
    named = sorted({given for _, given in counts if given is not None} | set(labels))
    title = f"<h2>Confusions of {escape(scores.name)}</h2>"
    if len(named) > _MOST_CLASSES:
        return f"{title}<p>{len(named)} classes are too many for a matrix.</p>"
    answers = [*named, None]
    cells = []
    for label in labels:
        row = [f"<th>{escape(label)}</th>"]
        for answer in answers:
            count = counts.get((label, answer), 0)
            kind = "right" if answer == label else "wrong"
            row.append(f'<td class="number {kind if count else ""}">{count or ""}</td>')
        cells.append(f"<tr>{''.join(row)}</tr>")
    head = "".join(f'<th class="number">{escape(answer or "unusable")}</th>' for answer in answers)
    return (
        f'{title}<p class="weak">Rows are labels, columns are answers.</p>'
        f'<div class="wide"><table class="matrix"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(cells)}</tbody></table></div>"
    )


def _findings(report: EvaluationReport) -> str:
    findings, words = report.findings, finding_words(report)
    second = report.contestants[1]
    missing = "unusable" if second.model and second.pages else "-"
    if not findings:
        return "<p>Every page is right.</p>"
    rows = [
        [words[item.finding], item.path, str(item.page), item.label, item.custom or "unusable", item.base or missing]
        for item in findings
    ]
    more = f'<p class="weak">The first {len(findings)} of {report.findings_count} pages.</p>'
    more = more if report.findings_count > len(findings) else ""
    return _table(("finding", "document", "page", "label", *map(short_name, report.contestants[:2])), rows) + more


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def cell(text: str) -> str:
        kind = ' class="number"' if text[:1].isdigit() and not text.rstrip("%").isalpha() else ""
        return f"<td{kind}>{escape(text)}</td>"

    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    return f'<div class="wide"><table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>'


def _list(title: str, texts: Sequence[str]) -> list[str]:
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return [f"<h2>{title}</h2>", f"<ul>{items}</ul>"] if texts else []
