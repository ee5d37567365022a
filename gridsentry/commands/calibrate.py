"""`gridsentry calibrate`: proposes a camera's calibration from a video, and draws it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.errors import Wrong

if TYPE_CHECKING:
    from gridsentry.calibrate.background import Background
    from gridsentry.calibrate.propose import Asked

EPILOG = """\
examples:
  gridsentry calibrate street.mp4 --city mycity --device cam-3
  gridsentry calibrate street.mp4 --city mycity --device cam-3 --floors 18 --bays 6 --force
  gridsentry calibrate --redraw --city mycity --device cam-3     after correcting the file by hand

It writes cameras/cam-3.toml (the proposal, with comments on what to correct), cam-3.jpg (the empty
scene) and cam-3.overlay.png (both together: windows, floor numbers, lines, the way up). Look at
the overlay; where a line does not lie on its slab, correct its two pixels in the file and
--redraw. `gridsentry check` then says how well the lines agree. A minute of video by day will do;
a single picture as well.
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    p = subparsers.add_parser(
        "calibrate",
        help="propose a camera's calibration from a video, and draw it",
        description="Looks for the lines of a facade and proposes which windows the camera sees: "
        "lens, vanishing point, floors and bays. A person corrects the rest.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("video", type=Path, nargs="?", metavar="VIDEO", help="a video or a picture")
    p.add_argument("--city", type=Path, metavar="DIR", help="city folder (default: no folder)")
    p.add_argument("--device", metavar="ID", default="camera", help="the camera's id")
    p.add_argument("--out", type=Path, metavar="DIR", help="write here instead of DIR/cameras")
    p.add_argument("--floors", type=int, metavar="N", help="how many floors are seen")
    p.add_argument("--floor-height", type=float, metavar="M", help="metres (default 3.0)")
    p.add_argument("--first-floor", type=int, default=1, metavar="N",
                   help="number of the lowest floor seen (default 1)")  # fmt: skip
    p.add_argument("--bays", type=int, metavar="N", help="how many bays are seen")
    p.add_argument("--bay-width", type=float, metavar="M", help="metres, on average")
    p.add_argument("--focal-px", type=float, metavar="PX", help="focal length, where it is known")
    p.add_argument("--redraw", action="store_true", help="only draw the file as it is")
    p.add_argument("--force", action="store_true", help="write over a file (its masks are kept)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Propose and draw, or draw again. Exit code 1 when nothing could be proposed."""
    folder = where(args)
    file = folder / f"{args.device}.toml"
    if args.redraw:
        return redraw(file, args.video)
    if args.video is None:
        raise Wrong("VIDEO", "missing", "a video of the camera, a picture, or --redraw")
    if file.exists() and not args.force:
        raise Wrong(str(file), "is there already", "--force writes over it; --redraw draws it")
    return calibrate(args, folder, file)


def where(args: argparse.Namespace) -> Path:
    """The folder to write to. Raises Wrong."""
    if args.city is None:
        return args.out or Path()
    from gridsentry.city import load_city
    from gridsentry.city.cameras import FOLDER
    from gridsentry.city.devices import NAME
    from gridsentry.record.fromfile import find_device

    if not (args.city / NAME).is_file():
        raise Wrong("--city", f"no {NAME} in {args.city}", "a city folder")
    file = args.city / FOLDER / f"{args.device}.toml"
    if not file.exists():  # an unfinished file is what we are asked to mend
        find_device(load_city(args.city), args.device)
    return Path(args.out or args.city / FOLDER)


def calibrate(args: argparse.Namespace, folder: Path, file: Path) -> int:
    """Background, proposal, file, picture, overlay."""
    import cv2
    import numpy as np
    from rich.console import Console

    from gridsentry.calibrate import draw
    from gridsentry.calibrate.background import STILL_PX, background
    from gridsentry.calibrate.propose import Nothing, propose
    from gridsentry.calibrate.write import camera_toml

    wanted = asked(args)
    kept = masks_of(file)
    with Console(stderr=True).status("reading the video"):
        scene = background(args.video)
    height, width = scene.picture.shape[:2]
    mask = None
    if kept.get("detect_mask"):
        mask = np.zeros((height, width), np.uint8)
        for polygon in kept["detect_mask"]:
            cv2.fillPoly(mask, [np.round(np.array(polygon)).astype(np.int32)], (255,))
    with Console(stderr=True).status("looking for floors and bays"):
        found = propose(scene.picture, mask, wanted)
    folder.mkdir(parents=True, exist_ok=True)
    picture = folder / f"{args.device}.jpg"
    save(picture, blackened(scene, kept))
    print(f"{picture}: the scene without what moves, of {scene.taken} pictures")
    if scene.moved_px > STILL_PX:
        print(f"  the camera moves by {scene.moved_px:.1f} px, so it is blurred: fix the camera")
    print("found: " + "; ".join(found.said))
    drawing = folder / f"{args.device}.overlay.png"
    if isinstance(found, Nothing):
        save(
            drawing,
            draw.strokes(
                blackened(scene, kept), found.segments, ["no calibration: " + found.missing]
            ),
        )
        print(
            f"no calibration could be proposed: {found.missing}.\n"
            f"{drawing} shows the lines that were seen. What may help: a picture by day with the "
            "facade filling most of it, --floors, a detect_mask around the facade; or write\n"
            f"{file} by hand: floor_lines and bay_lines, two each, read off {picture.name} "
            "(gridsentry init shows how)",
            file=sys.stderr,
        )
        return 1
    command = f"gridsentry calibrate --redraw --device {args.device}"
    command += f" --city {args.city}" if args.city is not None else ""
    command += f" --out {args.out}" if args.out is not None else ""
    file.write_text(camera_toml(found, picture.name, command, kept), encoding="utf-8")
    for doubt in found.doubts:
        print(f"  check: {doubt}")
    print(f"{file}: the proposal; correct it by hand, then: {command}")
    return redraw(file, None)


def asked(args: argparse.Namespace) -> Asked:
    """What the person knows. Raises Wrong."""
    from gridsentry.calibrate.propose import FLOOR_M, Asked

    for name, low, high in (
        ("floors", 2, 120), ("floor_height", 2, 8), ("bays", 1, 60), ("bay_width", 1, 15),
        ("focal_px", 100, 20_000), ("first_floor", -5, 200),
    ):  # fmt: skip
        value = getattr(args, name)
        if value is not None and not low <= value <= high:
            raise Wrong(f"--{name.replace('_', '-')}", f"{value:g}", f"{low} to {high}")
    return Asked(
        floors=args.floors,
        floor_m=args.floor_height or FLOOR_M,
        floor_m_given=args.floor_height is not None,
        first_floor=args.first_floor,
        bays=args.bays,
        bay_m=args.bay_width,
        focal_px=args.focal_px,
    )


def masks_of(file: Path) -> dict[str, Any]:
    """The masks that an existing file has."""
    from gridsentry.calibrate.write import KEPT
    from gridsentry.city.cameras import read_mask
    from gridsentry.city.files import read_toml
    from gridsentry.city.notes import Notes

    notes = Notes()
    table = read_toml(file, notes) if file.exists() else None
    found = {
        name: read_mask((table or {}).get(name), f"{file.name}, {name}", notes) for name in KEPT
    }
    if notes.problems:
        raise notes.problems[0]
    return {name: [[list(p) for p in polygon] for polygon in mask] for name, mask in found.items()}


def blackened(scene: Background, kept: dict[str, Any]) -> Any:
    """The scene with the privacy mask blacked out."""
    from contracts.city import Camera
    from gridsentry.calibrate.draw import hide

    height, width = scene.picture.shape[:2]
    polygons = tuple(tuple((p[0], p[1]) for p in one) for one in kept.get("privacy_mask") or ())
    return hide(scene.picture, Camera(device="", size=(width, height), privacy_mask=polygons))


def redraw(file: Path, video: Path | None) -> int:
    """Draw the file as it is; say what is wrong or doubtful with it. Raises Wrong."""
    import cv2
    import numpy as np

    from gridsentry.calibrate.background import background
    from gridsentry.calibrate.draw import overlay
    from gridsentry.city.cameras import read_camera
    from gridsentry.city.notes import CityProblems, Notes

    if not file.is_file():
        raise Wrong(str(file), "is not there", "a camera file; without --redraw one is proposed")
    notes = Notes()
    found = read_camera(file, file.name, notes)
    if notes.problems or found is None:
        raise CityProblems(str(file), notes.problems, notes.warnings)
    camera, raw = found
    if video is not None:
        scene: Any = cv2.resize(
            background(video).picture, camera.size, interpolation=cv2.INTER_AREA
        )
    elif camera.picture is not None:
        scene = cv2.imdecode(np.frombuffer(camera.picture, np.uint8), cv2.IMREAD_COLOR)
    else:
        raise Wrong(str(file), "has no picture", 'picture = "name.jpg", or a VIDEO to draw on')
    said = [text.removeprefix(f"{file.name}: ") for text in notes.facts]
    drawing = file.with_name(f"{file.stem}.overlay.png")
    save(drawing, overlay(camera, raw, np.asarray(scene, np.uint8), said))
    for text in notes.facts:
        print(text)
    for text in notes.warnings:
        print(f"warning: {text}")
    print(f"{drawing}: {len(camera.zones)} zones drawn over the picture; look at it")
    return 0


def save(path: Path, picture: Any) -> None:
    """A JPEG or PNG by its name. Raises Wrong."""
    import cv2

    done, data = cv2.imencode(path.suffix, picture)
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise Wrong(str(path), f"cannot be written ({error.strerror})", "a folder of yours") from (
            error
        )
    assert done
