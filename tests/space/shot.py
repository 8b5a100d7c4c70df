"""Take the pictures of the README from a served page: on a desktop and on a phone, light and dark.

python -m tests.space.shot http://127.0.0.1:7860 space/screenshot.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.space.browser import DESKTOP, PHONE, ask, chromium, open_page, read_lines, rows


def main(args: argparse.Namespace) -> None:
    """Write OUT, and beside it `<name>-phone.png`, `<name>-dark.png` and `<name>-phone-dark.png`."""
    with chromium() as browser:
        for device, viewport in {"": DESKTOP, "-phone": PHONE}.items():
            page = browser.new_page(viewport=viewport, device_scale_factor=2, color_scheme="light", locale="ko-KR")
            open_page(page, args.url)
            ask(page, args.product, args.values)
            lines = read_lines(page, seconds=300)
            rows(page).first.get_by_role("button", name="좋아요").click()
            page.mouse.move(0, 0)  # no button looks hovered
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                path = args.out.with_stem(f"{args.out.stem}{device}{'-dark' * (scheme == 'dark')}")
                page.screenshot(path=path, full_page=True)
                print(f"{path}: {' / '.join(lines)}")
            page.close()


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.space.shot", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("out", type=Path)
    parser.add_argument("--product", default="제습기")
    parser.add_argument("--values", default="뽀송함, 여유")
    return parser


if __name__ == "__main__":
    main(make_parser().parse_args())
