"""Checks the types of the pages' modules: `python -m tools.typecheck`.

TypeScript (pinned in tools/assets.json, run by Node) reads `center/pages/*/web/**/*.js` strictly. A
module is checked when it says `// @ts-check` in its first lines, and new ones must
(tests/unit/center/test_center_web.py). Modules name each other by where they are *served*, so they
are first laid out so below build/web/static/, as links.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "build" / "web"
ASSETS = ROOT / "build" / "assets"
OPTIONS = {
    "target": "es2023",
    "module": "es2022",
    "moduleResolution": "bundler",
    "lib": ["es2023", "dom", "dom.iterable"],
    "allowJs": True,
    "checkJs": False,
    "strict": True,
    "noImplicitOverride": True,
    "noFallthroughCasesInSwitch": True,
    "noUnusedLocals": True,
    "noEmit": True,
    "preserveSymlinks": True,
    "skipLibCheck": True,
    "types": [],
    "paths": {
        "/static/*": ["./static/*"],
        "leaflet": [str(ASSETS / "types" / "leaflet" / "index.d.ts")],
        "geojson": [str(ASSETS / "types" / "geojson" / "index.d.ts")],
    },
}


def lay_out() -> None:
    """build/web/static/{page} → center/pages/{page}/web, and the libraries beside them."""
    shutil.rmtree(PLACE, ignore_errors=True)
    static = PLACE / "static"
    static.mkdir(parents=True)
    for folder in sorted((ROOT / "center" / "pages").glob("*/web")):
        (static / folder.parent.name).symlink_to(folder)
    (static / "vendor").symlink_to(ROOT / "center" / "vendor")
    pages = [f"static/{folder.name}/**/*.js" for folder in static.iterdir()
             if folder.name != "vendor"]  # fmt: skip
    pages += ["static/*/**/*.d.ts"]
    config = {"compilerOptions": OPTIONS, "include": sorted(pages)}
    (PLACE / "tsconfig.json").write_text(json.dumps(config, indent=1), encoding="utf-8")


def main() -> int:
    """What TypeScript answers: 0 when the types hold."""
    node, tsc = shutil.which("node"), ASSETS / "typescript" / "tsc.js"
    if node is None or not tsc.is_file():
        print("node or TypeScript is missing: python3 tools/setup.py test", file=sys.stderr)
        return 1
    lay_out()
    asked = subprocess.run([node, tsc, "-p", PLACE, "--pretty", "false"], cwd=PLACE, check=False,
                           capture_output=True, text=True)  # fmt: skip
    for line in asked.stdout.splitlines():
        _, here, inside = line.partition("static/")
        page, slash, rest = inside.partition("/")
        print(f"center/pages/{page}/web/{rest}" if here and slash and "(" in inside else line)
    print(asked.stderr, end="", file=sys.stderr)
    return asked.returncode


if __name__ == "__main__":
    sys.exit(main())
