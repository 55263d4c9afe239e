#!/usr/bin/env python3
"""compare.py VULTUS SHARED [CLIP...] [--frames N]: `vultus process` beside pipeline.py, frame by frame.

Exit status 1 where a difference is beyond its limit. tools/reference runs it with the packages it needs."""

import argparse
import csv
import pathlib
import subprocess
import sys
import tempfile

import cv2
import numpy as np

import pipeline

CLIPS = ["intel_head_pose_two_faces.mp4", "intel_asl_10s.mp4", "intel_asl_rotated_metadata.mp4", "camera_motion_astronaut_1080p.mp4"]
UNITS = ["AU01", "AU02", "AU04", "AU06", "AU09", "AU12", "AU25", "AU26"]
LIMITS = {"landmarks px": 0.1, "midline px": 0.1, "1 - box IoU": 0.01, "action units": 0.01, "emotion": 0.01, "gaze rad": 0.01, "blur": 0.01}
LOWEST_PSNR = 45
# Flags under which left.csv and right.csv leave action units out (docs/measures.md).
VOIDING = {"yaw", "roll", "partial", "low_score"}
TIE = 1e-3


def run(vultus, *arguments):
    done = subprocess.run([vultus, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"vultus {' '.join(map(str, arguments))}: exit status {done.returncode}\n{done.stdout}")


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def numbers(row, names):
    return np.array([float(row[name]) for name in names])


def worst(found, what, difference):
    found[what] = max(found.get(what, 0.0), float(np.max(difference)))


def unit_difference(network, frame, face, side, measured):
    """Difference of the action units, and whether it is one of a tie: the network's last layer joins each unit to the four
    most similar, so that where the fourth and fifth are alike a thousandth of a pixel moves a score by some thousandths."""
    glabella, chin = pipeline.midline(face.points)
    scores = lambda shift: network(pipeline.mirrored(frame, glabella + shift, chin - shift, side), face.box)["au"]
    difference = abs(measured - scores(0)).max()
    if difference < TIE:
        return difference, difference, False
    shifted = [abs(measured - scores(shift)).max() for shift in (-2e-3, -1e-3, 1e-3, 2e-3)]
    return difference, min(difference, *shifted), min(shifted) < TIE


def compare_face(found, face, row, left, right, network, frame):
    points = np.stack([numbers(row, [f"{axis}_{i}" for i in range(98)]) for axis in "xy"], axis=1)
    x, y, width, height = numbers(row, ["box_x", "box_y", "box_w", "box_h"])
    worst(found, "landmarks px", np.linalg.norm(points - face.points, axis=1))
    for mine, theirs in zip(pipeline.midline(points), pipeline.midline(face.points)):
        worst(found, "midline px", np.linalg.norm(mine - theirs))
    worst(found, "1 - box IoU", 1 - pipeline.overlap([x, y, x + width, y + height], face.box))
    worst(found, "blur", abs(float(row["blur"]) - pipeline.blur(frame, face.box)))
    voided = not VOIDING.isdisjoint(row["quality"].split("|"))
    found["voided"] = found.get("voided", 0) + voided
    for side, cells in (("left", left), ("right", right)):
        if voided != all(cells[unit] == "" for unit in UNITS):
            sys.exit(f"frame {row['frame']}: quality is {row['quality']!r}, and {side}.csv has {[cells[unit] for unit in UNITS]}")
        if voided:
            continue
        raw, difference, tie = unit_difference(network, frame, face, side, numbers(cells, UNITS))
        worst(found, "action units", difference)
        worst(found, "with ties", raw)
        found["ties"] = found.get("ties", 0) + tie
    whole = network(frame, face.box)
    emotions = [name for name in row if name.startswith("emotion_")]
    worst(found, "emotion", abs(numbers(row, emotions) - whole["emotions"]))
    worst(found, "gaze rad", abs(numbers(row, ["gaze_yaw", "gaze_pitch"]) - whole["gaze"]))


def compare_clip(clip, output, networks, limit):
    """The worst differences of a clip's tables, and how many frames had a face in one of the two only."""
    rows = {name: table(output / f"{name}.csv") for name in ("landmarks", "left", "right")}
    follower = pipeline.Follower(networks["detector"], networks["landmarks"])
    found, faces, disagree = {}, 0, 0
    for index, frame in enumerate(pipeline.frames_of(str(clip), limit)):
        face = follower(frame)
        row, left, right = (rows[name][index] for name in ("landmarks", "left", "right"))
        if (face is None) != (row["success"] == "0") or (face and str(face.id) != row["face_id"]):
            disagree += 1
            continue
        if face is None:
            continue
        faces += 1
        compare_face(found, face, row, left, right, networks["multitask"], frame)
    return found, faces, disagree


def compare_pictures(vultus, pack, clip, networks, folder, every):
    """The lowest PSNR of mirrored frames, written as pictures because those are not compressed."""
    pictures = folder / f"{clip.stem}_pictures"
    pictures.mkdir()
    for index, frame in enumerate(pipeline.frames_of(str(clip), 4 * every)):
        if index % every == 0:
            cv2.imwrite(str(pictures / f"{index:04}.png"), frame)
    run(vultus, "process", pictures, "--pack", pack, "-o", folder / clip.stem, "--quiet", "--no-overlay", "--device", "cpu")
    lowest = float("inf")
    for path in sorted(pictures.iterdir()):
        frame = cv2.imread(str(path))
        face = networks["detector"](frame)[0]
        ends = pipeline.midline(networks["landmarks"](frame, face.box))
        for side in ("left", "right"):
            got = cv2.imread(str(folder / clip.stem / pictures.name / path.stem / f"{side}_mirrored.png"))
            lowest = min(lowest, cv2.PSNR(got, pipeline.mirrored(frame, *ends, side)))
    return lowest


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("vultus")
    parser.add_argument("shared", type=pathlib.Path)
    parser.add_argument("clips", nargs="*", default=CLIPS)
    parser.add_argument("--frames", type=int, default=60, help="of each clip")
    options = parser.parse_args()
    models = options.shared / "models"
    detector, landmarks, multitask = (str(models / name) for name in (
        "retinaface_mnet025_dynamic.onnx", "pfld98_ghostone_112.onnx", "mtl_efficientnet_b0_224_seeded.onnx"))
    networks = {"detector": pipeline.RetinaFace(detector), "landmarks": pipeline.Landmarks(landmarks),
                "multitask": pipeline.Multitask(multitask)}
    bad, compared = False, 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        run(options.vultus, "convert", detector, landmarks, multitask, "-o", folder / "pack")
        print(f"{'clip':36} faces  differ  " + "  ".join(f"{what:>12}" for what in LIMITS) + "  voided  ties (worst)  mirrored dB")
        for name in options.clips:
            clip = options.shared / "media" / name
            run(options.vultus, "process", clip, "--pack", folder / "pack", "-o", folder / "out", "--quiet", "--no-mirror",
                "--no-overlay", "--device", "cpu")
            found, faces, disagree = compare_clip(clip, folder / "out" / clip.stem, networks, options.frames)
            psnr = compare_pictures(options.vultus, folder / "pack", clip, networks, folder, every=12)
            print(f"{name:36} {faces:5}  {disagree:6}  " + "  ".join(f"{found.get(w, 0):12.6f}" for w in LIMITS) +
                  f"  {found['voided']:6}  {found.get('ties', 0):4} {found.get('with ties', 0):.4f}  {psnr:11.1f}")
            bad |= faces == 0 or disagree > 0 or psnr < LOWEST_PSNR or any(found.get(w, 0) > limit for w, limit in LIMITS.items())
            compared += faces - found["voided"]
    if compared == 0:
        sys.exit("the action units of every frame are voided: nothing was compared; name a clip with a face that looks ahead")
    print("beyond a limit" if bad else f"all within {', '.join(f'{w} {v:g}' for w, v in LIMITS.items())}, {LOWEST_PSNR} dB")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
