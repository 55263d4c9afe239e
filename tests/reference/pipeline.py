"""The face pipeline once more, from its description alone, with ONNX Runtime and NumPy: to be read and compared with, not
to be fast. Nothing of it is shared with the C++ code. Points and boxes are in pixels of the upright frame, pixel centres
at integers; pictures are 8-bit BGR, [height, width, 3]."""

import dataclasses
import math
import subprocess

import cv2
import numpy as np
import onnxruntime

AREA, LINEAR, NEAREST = cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_NEAREST


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def frames_of(path, limit=None):
    """Upright pictures of a video, in order, through the ffmpeg program."""
    probe = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height:stream_side_data=rotation",
             "-of", "default=nw=1", path]
    facts = dict(line.split("=") for line in subprocess.run(probe, capture_output=True, text=True, check=True).stdout.split())
    width, height = int(facts["width"]), int(facts["height"])
    turns = int(facts.get("rotation", 0)) // 90
    flags = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
    command = ["ffmpeg", "-v", "error", "-noautorotate", "-i", path, "-vsync", "passthrough", "-vf", f"scale=flags={flags}", "-pix_fmt", "bgr24",
               "-f", "rawvideo"] + (["-frames:v", str(limit)] if limit else []) + ["-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as ffmpeg:
        while raw := ffmpeg.stdout.read(width * height * 3):
            yield np.ascontiguousarray(np.rot90(np.frombuffer(raw, np.uint8).reshape(height, width, 3), turns))


@dataclasses.dataclass
class Face:
    score: float
    box: np.ndarray  # x1, y1, x2, y2
    points: np.ndarray = None  # [98, 2]
    id: int = 0


def overlap(a, b, extra=0):
    """Intersection over union; sizes count `extra` pixels more."""
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]) + extra)
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]) + extra)
    area = lambda box: (box[2] - box[0] + extra) * (box[3] - box[1] + extra)
    return width * height / (area(a) + area(b) - width * height)


class RetinaFace:
    """Boxes from priors; variances 0.1 and 0.2; scores above `threshold`; suppression with pixels counted inclusively."""

    def __init__(self, path, threshold=0.5, suppression=0.4):
        self.session, self.threshold, self.suppression = session(path), threshold, suppression

    @staticmethod
    def priors(width, height):
        rows = []
        for step, sizes in ((8, (16, 32)), (16, (64, 128)), (32, (256, 512))):
            for i in range(math.ceil(height / step)):
                for j in range(math.ceil(width / step)):
                    rows += [((j + 0.5) * step / width, (i + 0.5) * step / height, s / width, s / height) for s in sizes]
        return np.array(rows)

    def __call__(self, bgr):
        height, width = bgr.shape[:2]
        planes = (bgr.astype(np.float32) - np.array([104, 117, 123], np.float32)).transpose(2, 0, 1)[None]
        named = dict(zip((o.name for o in self.session.get_outputs()), self.session.run(None, {"input": planes})))
        loc, scores = named["loc"][0].astype(float), named["conf"][0, :, 1].astype(float)
        priors = self.priors(width, height)
        centre = priors[:, :2] + loc[:, :2] * 0.1 * priors[:, 2:]
        size = priors[:, 2:] * np.exp(loc[:, 2:] * 0.2)
        boxes = np.hstack([centre - size / 2, centre + size / 2]) * [width, height, width, height]
        kept = []
        for i in np.argsort(-scores, kind="stable"):
            if scores[i] <= self.threshold:
                break
            if all(overlap(face.box, boxes[i], 1) <= self.suppression for face in kept):
                kept.append(Face(scores[i], boxes[i]))
        return kept


def sample(picture, xs, ys):
    """Bilinear, zero outside; [len(ys), len(xs), 3] float."""
    out = np.zeros((len(ys), len(xs), 3))
    for dy in (0, 1):
        for dx in (0, 1):
            x, y = np.floor(xs).astype(int) + dx, np.floor(ys).astype(int) + dy
            weight = np.outer(1 - abs(ys - y), 1 - abs(xs - x))
            inside = np.outer((y >= 0) & (y < picture.shape[0]), (x >= 0) & (x < picture.shape[1]))
            values = picture[np.clip(y, 0, picture.shape[0] - 1)][:, np.clip(x, 0, picture.shape[1] - 1)]
            out += (weight * inside)[..., None] * values
    return out


class Landmarks:
    """PFLD: square of the longer side, 112 RGB; STAR: 1.05 times the shorter side around whole corners, 256 BGR."""

    def __init__(self, path, star=False):
        self.session, self.star = session(path), star
        self.size = 256 if star else 112

    def __call__(self, bgr, box):
        width, height = box[2] - box[0], box[3] - box[1]
        side = 1.05 * min(width, height) if self.star else max(width, height)
        cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        pixel = np.arange(self.size)
        offset = (pixel - (self.size - 1) / 2) * side / self.size if self.star else (pixel + 0.5) * side / self.size - side / 2 - 0.5
        crop = sample(bgr, cx + offset, cy + offset)
        planes = ((crop if self.star else crop[..., ::-1]) / 127.5 - 1).transpose(2, 0, 1)[None].astype(np.float32)
        outputs = self.session.run(None, {self.session.get_inputs()[0].name: planes})
        points = next(o for o in outputs if o.size == 196).reshape(98, 2).astype(float)
        return [cx, cy] + (points * 128 * side / self.size if self.star else (points - 0.5) * side)


def plausible(points, box):
    side = max(box[2] - box[0], box[3] - box[1])
    spread = max(np.ptp(points, axis=0))
    x, y = points.mean(axis=0)
    return 0.4 * side < spread < 2 * side and box[0] < x < box[2] and box[1] < y < box[3]


class Smoother:
    """The last result is carried along with the head (least-squares similarity of the last two measurements); what is left
    is averaged where it is small against the distance of the eyes, and passes where it is 5 % of it."""

    def __init__(self):
        self.measured = None

    def __call__(self, points):
        if self.measured is None:
            self.smooth = points
        else:
            a, b = self.measured - self.measured.mean(axis=0), points - points.mean(axis=0)
            az, bz = a @ [1, 1j], b @ [1, 1j]
            turn = (np.conj(az) @ bz) / (np.conj(az) @ az)
            carried = turn * ((self.smooth - self.measured.mean(axis=0)) @ [1, 1j])
            carried = np.stack([carried.real, carried.imag], axis=1) + points.mean(axis=0)
            change = points - carried
            eyes = np.linalg.norm(points[60:68].mean(axis=0) - points[68:76].mean(axis=0))
            part = np.minimum(1, np.linalg.norm(change, axis=1) / (0.05 * eyes))
            self.smooth = carried + change * (0.2 + 0.8 * part**2)[:, None]
        self.measured = points
        return self.smooth


class Follower:
    """One face: found in the whole frame at first, every tenth frame, after a cut and when it is lost; in every frame found
    anew in a square of twice its size, seen at 192 pixels."""

    def __init__(self, detector, landmarks, smooth=True):
        self.detector, self.landmarks, self.with_smoother = detector, landmarks, smooth
        self.face, self.ids, self.since, self.thumbnail, self.usual = None, 0, 0, None, 0.0

    def cut(self, bgr):
        shrink = max(1, bgr.shape[1] // 256)
        small = cv2.resize(bgr, None, fx=1 / shrink, fy=1 / min(shrink, bgr.shape[0]), interpolation=NEAREST)
        grey = cv2.cvtColor(cv2.resize(small, (64, 36), interpolation=AREA), cv2.COLOR_BGR2GRAY).astype(int)
        before, self.thumbnail = self.thumbnail, grey
        if before is None:
            return False
        difference = abs(grey - before).mean()
        cut = difference > 12 and difference > 2.5 * self.usual
        self.usual = 0.8 * self.usual + 0.2 * difference
        return cut

    def near(self, bgr, box):
        wanted = max(2 * max(box[2] - box[0], box[3] - box[1]), 96)
        side = round(min(wanted, 2 * max(bgr.shape[:2])))
        x, y = (math.floor((box[i] + box[i + 2]) / 2 - side / 2 + 0.5) for i in (0, 1))
        square = np.zeros((side, side, 3), np.uint8)
        x1, y1, x2, y2 = max(0, x), max(0, y), min(bgr.shape[1], x + side), min(bgr.shape[0], y + side)
        square[y1 - y:y2 - y, x1 - x:x2 - x] = bgr[y1:y2, x1:x2]
        region = cv2.resize(square.astype(np.float32), (192, 192), interpolation=AREA if side > 192 else LINEAR)
        scale = side / 192
        found = [Face(f.score, (f.box + 0.5) * scale - 0.5 + [x, y, x, y]) for f in self.detector(region)]
        best = max(found, key=lambda f: overlap(f.box, box), default=None)
        return best if best and overlap(best.box, box) > 0.3 else None

    def search(self, bgr, lost):
        self.since = 0
        found = self.detector(bgr)
        match = lambda box: max((f for f in found if overlap(f.box, box) > 0.3), key=lambda f: overlap(f.box, box), default=None)
        again = match(self.face.box) if self.face else None
        if self.face and lost and again:
            self.adopt(bgr, again, self.face.id)
            lost = False
        if self.face and (lost or (found and not match(self.face.box))):
            self.face = None
        if not self.face and found:
            self.adopt(bgr, found[0], self.ids)
            self.ids += 1

    def adopt(self, bgr, face, track):
        self.face = self.near(bgr, face.box) or face
        self.face.id = track
        self.smoother = Smoother()

    def __call__(self, bgr):
        """The face of the next frame, or None."""
        if self.cut(bgr):
            self.face = None
        self.since += self.face is not None
        search, lost = self.face is None or self.since >= 10, False
        if self.face:
            found = self.near(bgr, self.face.box)
            lost = found is None
            if found:
                found.id, self.face = self.face.id, found
        if search or lost:
            self.search(bgr, lost)
        if not self.face:
            return None
        points = self.landmarks(bgr, self.face.box)
        if not plausible(points, self.face.box):
            self.smoother = Smoother()
            return None
        return dataclasses.replace(self.face, points=self.smoother(points) if self.with_smoother else points)


def blur(bgr, box):
    """Crete et al. 2007: how much of the differences of neighbours is left after averages over 7, in the box at 64x64."""
    x1, y1, x2, y2 = (int(np.clip(math.floor(v + 0.5), 0, limit)) for v, limit in zip(box, 2 * bgr.shape[1::-1]))
    grey = cv2.cvtColor(cv2.resize(bgr[y1:y2, x1:x2], (64, 64), interpolation=AREA), cv2.COLOR_BGR2GRAY).astype(float)

    def along_rows(grey):
        padded = np.pad(grey, ((0, 0), (3, 3)), mode="edge")
        averaged = np.mean([padded[:, i:i + 64] for i in range(7)], axis=0)
        sharp, soft = abs(np.diff(grey)), abs(np.diff(averaged))
        return 1 - np.maximum(0, sharp - soft).sum() / sharp.sum()

    return max(along_rows(grey), along_rows(grey.T))


def midline(points):
    """Between the inner ends of the brows, and the chin."""
    return (points[38] + points[50]) / 2, points[16]


def mirrored(frame, glabella, chin, side, seam=6):
    """The subject's `side` doubled: reflected across the midline, cross-faded over `seam` pixels around it."""
    along = (chin - glabella) / np.linalg.norm(chin - glabella)
    normal = np.array([-along[1], along[0]])  # to the subject's right
    height, width = frame.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=float), np.arange(height, dtype=float))
    distance = (x - glabella[0]) * normal[0] + (y - glabella[1]) * normal[1]
    qx, qy = x - 2 * distance * normal[0], y - 2 * distance * normal[1]
    fx, fy = np.floor(qx).astype(int), np.floor(qy).astype(int)
    wx, wy = (qx - fx)[..., None], (qy - fy)[..., None]
    at = lambda i, j: frame[np.clip(j, 0, height - 1), np.clip(i, 0, width - 1)].astype(float)
    reflected = (1 - wy) * ((1 - wx) * at(fx, fy) + wx * at(fx + 1, fy)) + wy * ((1 - wx) * at(fx, fy + 1) + wx * at(fx + 1, fy + 1))
    kept = np.clip(0.5 + (distance if side == "right" else -distance) / seam, 0, 1)[..., None]
    return np.floor(kept * frame + (1 - kept) * reflected + 0.5).astype(np.uint8)


class Multitask:
    """Action units, emotions and gaze of a face's box stretched to 224x224, as ImageNet networks take pictures."""

    MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])

    def __init__(self, path):
        self.session = session(path)

    def __call__(self, bgr, box):
        x1, y1 = max(0, int(box[0])), max(0, int(box[1]))
        x2, y2 = min(bgr.shape[1], int(box[2])), min(bgr.shape[0], int(box[3]))
        face = bgr[y1:y2, x1:x2]
        rows, columns = face.shape[:2]
        if (rows > 224) == (columns > 224):
            face = cv2.resize(face, (224, 224), interpolation=AREA if rows > 224 else LINEAR)
        else:  # the axis that shrinks is averaged, the other one interpolated
            averaged = cv2.resize(face.astype(np.float32), (min(columns, 224), min(rows, 224)), interpolation=AREA)
            face = np.round(cv2.resize(averaged, (224, 224), interpolation=LINEAR))
        planes = ((face[..., ::-1] / 255 - self.MEAN) / self.DEVIATION).transpose(2, 0, 1)[None].astype(np.float32)
        outputs = self.session.run(None, {self.session.get_inputs()[0].name: planes})
        named = {o.name.split("_")[0]: value[0] for o, value in zip(self.session.get_outputs(), outputs)}
        emotions = np.exp(named["emotion"] - named["emotion"].max())
        return {"au": named["au"], "gaze": named["gaze"], "emotions": emotions / emotions.sum()}
