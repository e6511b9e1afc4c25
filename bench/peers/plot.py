"""Rows to a picture: how many times as long as penult each engine takes. Standard library only."""
import html

COLOURS = {"ort": "#1b6ca8", "openvino": "#7a3e9d", "mnn": "#c2571a", "ncnn": "#2a8a4a",
           "torch": "#b3202a", "onednn 2": "#8a8a00", "onednn 3": "#d4a017"}
LEFT, RIGHT, TOP, STEP, WIDTH = 190, 24, 74, 17, 760
MOST = 4.0  # whoever takes longer stands at the edge


def colour_of(engine):
    return next((colour for name, colour in COLOURS.items() if engine.startswith(name)), "#888888")


def times_as_long(row, engine):
    return row["medians"][engine] / row["medians"]["penult"]


def x_of(ratio, most):
    return LEFT + (WIDTH - LEFT - RIGHT) * min(ratio, most) / most


def text(x, y, words, anchor="start", colour="#444444"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{html.escape(words)}</text>'


def axis(most, bottom):
    lines = []
    ticks = int(most * 2)
    for tick in range(ticks + 1):
        x = x_of(tick / 2, most)
        strong = tick == 2
        lines.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom}" '
                     f'stroke="{"#222222" if strong else "#dddddd"}"/>')
        lines.append(text(x, TOP - 14, f"{tick / 2:g}", "middle"))
    return lines


def legend(engines):
    lines, x = [], LEFT
    for engine in engines:
        lines.append(f'<circle cx="{x + 4}" cy="16" r="4" fill="{colour_of(engine)}"/>')
        lines.append(text(x + 13, 20, engine))
        x += 30 + 8 * len(engine)
    lines.append(text(LEFT, 38, f"times as long as penult (line at 1), {MOST:g} or more at the edge"))
    return lines


def svg(rows, engines):
    most = min(MOST, max(1.5, max(times_as_long(row, e) for row in rows for e in engines if e in row["medians"])))
    bottom = TOP + STEP * len(rows)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{bottom + 12}" '
             f'viewBox="0 0 {WIDTH} {bottom + 12}" font-family="sans-serif" font-size="11">',
             f'<rect width="{WIDTH}" height="{bottom + 12}" fill="#ffffff"/>', *legend(engines),
             *axis(most, bottom)]
    for i, row in enumerate(rows):
        y = TOP + STEP * i + STEP / 2
        if i % 2 == 0:
            lines.append(f'<rect x="0" y="{y - STEP / 2}" width="{WIDTH}" height="{STEP}" fill="#000000" '
                         'fill-opacity="0.04"/>')
        lines.append(text(6, y + 4, f'{row["net"]} b{row["batch"]} t{row["threads"]}'))
        for engine in engines:
            if engine in row["medians"]:
                ratio = times_as_long(row, engine)
                lines.append(f'<circle cx="{x_of(ratio, most):.1f}" cy="{y}" r="4" '
                             f'fill="{colour_of(engine)}"><title>{engine} {ratio:.2f}</title></circle>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def write(rows, engines, path):
    with open(path, "w", encoding="utf-8") as f:
        f.write(svg(rows, engines))
