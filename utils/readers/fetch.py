"""A real storm: GOES, its lightning and radar at one time and place, from NOAA's public buckets."""

import contextlib
import errno
import functools
import json
import os
import re
import uuid
import warnings
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import fsspec
import numpy as np
from platformdirs import user_cache_dir
from tqdm.auto import tqdm

from utils.readers import abi, geolocation, glm, mrms

# Which satellite stands where, until when. The last of each is there today.
SATELLITES = {  # by the longitude below it, degrees east
    -75.0: [("noaa-goes16", "2025-04-07T15:00"), ("noaa-goes19", None)],
    -137.0: [("noaa-goes17", "2023-01-04T18:00"), ("noaa-goes18", None)],
}
FARTHEST = 75.0  # degrees from the point below a satellite, beyond which pixels are too slanted
RADAR, COMPOSITE = "noaa-mrms-pds", "MergedReflectivityQCComposite_00.50"
FIRST = np.datetime64("2020-10-14T00:00")  # of the radar's bucket
CHANNELS = (7, 9, 13)
NEAR = np.timedelta64(10, "m")  # a scan farther from the time asked for is another one
RADAR_NEAR = np.timedelta64(5, "m")
INTERVAL = np.timedelta64(glm.INTERVAL, "s")
SETTLED = np.timedelta64(3, "h")  # what is older gets no more files
VARIABLE = "PEERING_INSIDE_CACHE"
AT_ONCE = 8  # downloads


@dataclass(frozen=True)
class _File:
    """A file in a bucket, and when what it holds was measured, as its name says."""

    path: str  # bucket/key
    size: int
    start: np.datetime64
    end: np.datetime64


def storm(time, place, size=256, cache=None, source=None, progress=True):
    """Fetch a scene as the GOES-to-MRMS world draws it, at any place that radar covers.

    The scan nearest in time is taken, of a mesoscale sector (one a minute) if that covers the
    grid, else of the sector of the United States (one in five minutes); the lightning of the 15
    minutes before the end of the scan, and the radar composite nearest to its middle. The
    buckets are open: no account is needed, and no key is looked for on this machine. What has been
    fetched is kept and works without a network from then on.

    Parameters
    ----------
    time : str or numpy.datetime64
        UTC, such as ``"2021-12-11T03:00"``; 14 October 2020 or later.
    place : (float, float)
        Latitude and longitude of the scene's middle, degrees north and east.
    size : int
        Rows and columns, of 3 km.
    cache : str, pathlib.Path or None
        Folder for what is fetched, some 20 MB a scene. None is that of the environment variable
        ``PEERING_INSIDE_CACHE``, or else one in the user's own cache.
    source : str, pathlib.Path or None
        None is the buckets themselves. A folder with the same layout is read where it stands; an
        address that starts with ``http`` is another server of theirs.
    progress : bool
        Say what will be fetched, and show a progress bar.

    Returns
    -------
    xarray.Dataset
        ``c07``, ``c09``, ``c13``, ``glm`` and ``mrms`` (sample, y, x), one sample, as
        ``utils.worlds.goes_mrms.as_input`` takes them; see the readers of the three. Attributes
        ``satellite``, ``sector``, ``scan_time``, ``radar_time`` and ``lightning_files``.

    Raises
    ------
    ConnectionError
        If there is no network, a bucket is closed or has moved, or a file came only in part.
    FileNotFoundError
        If nothing was measured at that time; the sentence says what is nearest.
    OSError
        If the disk is full.
    TypeError, ValueError
        If time, place or size are none, the time is too early or in the future, or the place is
        out of view.

    Warns
    -----
    UserWarning
        If files of lightning are missing.
    """
    time = _time(time)
    if np.shape(place) != (2,):
        raise TypeError(f"A place is (latitude, longitude), not {place!r}.")
    geolocation.local(*place, size)  # refuses what is no place or no size
    bucket = _satellite(time, *place)
    store = _Store(source, cache, progress)
    sector, scan = _scan(store, bucket, time, place, size)
    start, end = scan[0].start, scan[0].end
    middle = start + (end - start) / 2
    lightning = _lightning(store, bucket, end)
    radar = _radar(store, middle)
    paths = store.get([*scan, *lightning, radar])
    data = abi.brightness_temperature(paths[: len(scan)], place, size, CHANNELS)
    data["glm"] = glm.groups(paths[len(scan) : -1], data)
    data["mrms"] = mrms.reflectivity(paths[-1], data)
    said = {"scan_time": middle, "radar_time": radar.start}
    data.attrs |= {name: str(np.datetime_as_string(when, "s")) for name, when in said.items()}
    return data.assign_attrs(
        title="GOES and MRMS, fetched",
        satellite=f"GOES-{bucket.removeprefix('noaa-goes')}",
        sector=sector,
        lightning_files=len(lightning),
    )


def _time(time):
    """A time of day in UTC for which the buckets may have all three."""
    try:
        if not isinstance(time, str | np.datetime64):
            raise TypeError
        time = np.datetime64(time, "ms")
        if np.isnat(time):
            raise ValueError
    except (TypeError, ValueError) as error:
        raise ValueError(
            f'A time is given as in "2021-12-11T03:00", UTC, not as {time!r}.'
        ) from error
    if time < FIRST:
        raise ValueError(f"The radar's bucket begins on 14 October 2020: {time} is before that.")
    if time > np.datetime64("now"):
        raise ValueError(f"{time} UTC is in the future.")
    return time


def _satellite(time, latitude, longitude):
    """The bucket of the satellite that sees a place from higher up."""
    away = {
        below: np.cos(np.radians(latitude)) * np.cos(np.radians(longitude - below))
        for below in SATELLITES
    }
    below = max(away, key=away.get)
    if away[below] < np.cos(np.radians(FARTHEST)):
        raise ValueError(f"{latitude} N, {longitude} E is out of view of both GOES satellites.")
    names = SATELLITES[below]
    return next(name for name, until in names if until is None or time < np.datetime64(until))


def _scan(store, bucket, time, place, size):
    """Sector and files, one a channel, of the scan nearest in time that covers the grid."""
    problem, seen = None, False
    for sector, product in (("M1", "RadM"), ("M2", "RadM"), ("C", "RadC")):
        there = _hours(store, f"{bucket}/ABI-L1b-{product}", time - NEAR, time + NEAR)
        files = [f for f in there if re.search(rf"-Rad{sector}-M\dC(07|09|13)_", f.path)]
        scans = [f for f in files if "C13_" in f.path]
        if not scans:
            continue
        try:
            first = _nearest(scans, time, NEAR, "scan")
        except FileNotFoundError as error:
            problem = error
            continue
        if sector == "C" or _covers(store.get([first])[0], place, size):
            return sector, _together(files, first)
        seen = True
    if seen:
        raise FileNotFoundError(
            f"There is no scan of the United States near {time} UTC, and none of the mesoscale "
            "sectors covers the scene: choose another time, or a smaller size."
        )
    raise problem or _nothing(_scans_beyond(store, bucket, time), time, NEAR, "scan")


def _scans_beyond(store, bucket, time):
    """Scans of the hour nearest to a time of whose hour there is none."""
    folders = [f"{bucket}/ABI-L1b-{product}" for product in ("RadC", "RadM")]

    def of_hour(hour):
        files = [file for folder in folders for file in _hours(store, folder, hour, hour)]
        return [file for file in files if "C13_" in file.path]

    return _beyond(of_hour, np.datetime64(time, "h"))


def _covers(path, place, size):
    """Whether a scan has the whole grid."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            abi.brightness_temperature([path], place, size, (13,))
    except ValueError:
        return False
    return True


def _together(files, first):
    """The files of all channels that were measured with the first."""
    found = []
    for channel in CHANNELS:
        of_channel = [f for f in files if f"C{channel:02d}_" in f.path]
        if not of_channel:
            raise FileNotFoundError(f"There is no file of channel {channel} beside {first.path}.")
        found.append(min(of_channel, key=lambda f: abs(f.start - first.start)))
    return found


def _lightning(store, bucket, end):
    """The files of 20 s in the 15 minutes before a time."""
    folder = f"{bucket}/GLM-L2-LCFA"
    there = _hours(store, folder, end - INTERVAL, end)
    files = [f for f in there if end - INTERVAL <= f.start and f.start + INTERVAL / 45 / 2 < end]
    if not files:
        hour = np.datetime64(end, "h")
        there = there or _beyond(lambda hour: _hours(store, folder, hour, hour), hour)
        raise _nothing(there, end, INTERVAL, "lightning file")
    if len(files) < 45:
        warnings.warn(f"{len(files)} of 45 files of lightning are there.", stacklevel=3)
    return files[-45:]


def _radar(store, time):
    """The composite nearest to a time, on its day or on the day before or after."""

    def of_day(day):
        return store.files(f"{RADAR}/CONUS/{COMPOSITE}/{str(day).replace('-', '')}")

    days = {np.datetime64(t, "D") for t in (time - RADAR_NEAR, time + RADAR_NEAR)}
    files = [file for day in sorted(days) for file in of_day(day)]
    files = files or _beyond(of_day, np.datetime64(time, "D"))
    return _nearest(files, time, RADAR_NEAR, "radar composite")


def _beyond(at, time):
    """The files nearest to an hour or a day without any, of 24 hours or days before and after."""
    step = np.timedelta64(1, np.datetime_data(time)[0])
    for away in range(1, 25):
        if found := at(time - away * step) + at(time + away * step):
            return found
    return []


def _hours(store, folder, start, end):
    """The files in the hourly folders of a product from one time to another."""
    one = np.timedelta64(1, "h")
    found = []
    for hour in np.arange(np.datetime64(start, "h"), np.datetime64(end, "h") + one):
        day = np.datetime64(hour, "D")
        year = np.datetime64(day, "Y")
        number = int((day - year.astype("datetime64[D]")) / np.timedelta64(1, "D")) + 1
        clock = int((hour - day) / one)
        found += store.files(f"{folder}/{year}/{number:03d}/{clock:02d}")
    return sorted(found, key=lambda file: file.start)


def _nearest(files, time, most, what):
    """The file whose middle is nearest to a time."""
    best = min(files, key=lambda file: abs(_middle(file) - time), default=None)
    if best is None or abs(_middle(best) - time) > most:
        raise _nothing(files, time, most, what)
    return best


def _middle(file):
    return file.start + (file.end - file.start) / 2


def _nothing(files, time, most, what):
    """What to say where no file is near enough: which one is the nearest."""
    minutes = int(most / np.timedelta64(1, "m"))
    said = f"There is no {what} within {minutes} minutes of {np.datetime_as_string(time, 'm')} UTC"
    if not files:
        return FileNotFoundError(f"{said}, nor anywhere near: choose another time.")
    nearest = min((_middle(file) for file in files), key=lambda middle: abs(middle - time))
    return FileNotFoundError(
        f"{said}; the nearest is of {np.datetime_as_string(nearest, 'm')}: choose that."
    )


def _measured(name):
    """Start and end that a file's name tells, or None."""
    if found := re.search(r"_s(\d{7})(\d{6})(\d)_e(\d{7})(\d{6})(\d)_", name):
        day, clock, tenth, end_day, end_clock, end_tenth = found.groups()
        return _by_day(day, clock, tenth), _by_day(end_day, end_clock, end_tenth)
    if found := re.search(r"_(\d{8})-(\d{6})\.grib2", name):
        day, clock = found.groups()
        when = np.datetime64(f"{day[:4]}-{day[4:6]}-{day[6:]}", "ms") + _clock(clock)
        return when, when
    return None


def _by_day(day, clock, tenth):
    start = np.datetime64(f"{day[:4]}-01-01", "ms") + np.timedelta64(int(day[4:]) - 1, "D")
    return start + _clock(clock) + np.timedelta64(100 * int(tenth), "ms")


def _clock(text):
    hours, minutes, seconds = (int(text[i : i + 2]) for i in (0, 2, 4))
    return np.timedelta64(1000 * (3600 * hours + 60 * minutes + seconds), "ms")


class _Store:
    """Lists and gets files: from the buckets into a cache, or from a folder where they stand.

    A finished file is one with its final name, which it gets in one step when it is whole, so a
    killed process leaves none that is half, and two processes do not meet.
    """

    def __init__(self, source, cache, progress):
        self.progress = progress
        self.folder = None
        self.files = functools.cache(self._files)  # two sectors lie in the same folders
        if source is not None and not str(source).startswith("http"):
            self.folder = Path(source)
            if not self.folder.is_dir():
                raise FileNotFoundError(f"There is no folder {source}.")
            return
        cache = cache or os.environ.get(VARIABLE) or user_cache_dir("peering-inside")
        self.cache = Path(cache).expanduser()
        patience = {"connect_timeout": 10, "read_timeout": 30, "retries": {"max_attempts": 2}}
        self.system = fsspec.filesystem(
            "s3",
            anon=True,
            endpoint_url=source,
            config_kwargs=patience,
            use_listings_cache=False,
            skip_instance_cache=True,
        )

    def _files(self, folder):
        """What a bucket's folder holds, by the names that tell a time."""
        if self.folder is not None:
            return self._named(folder, self._local(folder))
        kept = self.cache / folder / "listing.json"
        last = _last_hour(folder)
        if kept.is_file() and np.datetime64("now") - last > SETTLED:
            with contextlib.suppress(ValueError, OSError):
                return self._named(folder, json.loads(kept.read_text()))
        try:
            found = [
                [Path(one["name"]).name, int(one["size"])] for one in self.system.ls(folder, True)
            ]
        except FileNotFoundError:
            self._check_bucket(folder.split("/")[0])
            found = []
        except Exception as error:
            if kept.is_file():  # listed before: better than nothing
                return self._named(folder, json.loads(kept.read_text()))
            raise _unreachable(folder.split("/")[0], error) from error
        self._write(kept, lambda part: part.write_text(json.dumps(found)))
        return self._named(folder, found)

    def get(self, files):
        """The files' paths on this machine, fetched where they are not there yet."""
        if self.folder is not None:
            return [self.folder / file.path for file in files]
        paths = [self.cache / file.path for file in files]
        missing = [
            (file, path)
            for file, path in zip(files, paths, strict=True)
            if not (path.is_file() and path.stat().st_size == file.size)
        ]
        if not missing:
            return paths
        total = sum(file.size for file, _ in missing)
        if self.progress:
            what = f"{len(missing)} file{'s' * (len(missing) > 1)}, {total / 1e6:.1f} MB"
            print(f"Fetching {what}, into {self.cache}")
        with (
            tqdm(total=total, unit="B", unit_scale=True, disable=not self.progress) as bar,
            ThreadPoolExecutor(AT_ONCE) as pool,
        ):
            jobs = {pool.submit(self._fetch, *pair): pair[0].size for pair in missing}
            try:
                for job in as_completed(jobs):
                    job.result()
                    bar.update(jobs[job])
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return paths

    def _fetch(self, file, path):
        def whole(part):
            try:
                self.system.get_file(file.path, str(part))
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise
                raise _unreachable(file.path, error) from error
            except Exception as error:
                raise _unreachable(file.path, error) from error
            came = part.stat().st_size
            if came != file.size:
                raise ConnectionError(
                    f"{path.name} came only in part ({came} of {file.size} bytes): try again."
                )

        self._write(path, whole)

    def _write(self, path, write):
        """Let a function write a file under another name, and give it its own when it is whole."""
        part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(part)
            os.replace(part, path)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise OSError(
                    errno.ENOSPC,
                    f"The disk of {self.cache} is full: make room, or choose another cache.",
                ) from error
            raise
        finally:
            part.unlink(missing_ok=True)

    def _local(self, folder):
        there = self.folder / folder
        if not there.is_dir():
            return []
        return [[file.name, file.stat().st_size] for file in there.iterdir()]

    def _named(self, folder, found):
        times = ((name, size, _measured(name)) for name, size in found)
        return [_File(f"{folder}/{name}", size, *when) for name, size, when in times if when]

    def _check_bucket(self, bucket):
        """Refuse a bucket that is not there; the folder of an hour may be missing by itself."""
        try:
            self.system.ls(bucket)
        except Exception as error:
            raise _unreachable(bucket, error) from error


def _last_hour(folder):
    """The end of the time that a folder is for, by its name."""
    parts = folder.split("/")
    if parts[0] == RADAR:
        day = parts[-1]
        return np.datetime64(f"{day[:4]}-{day[4:6]}-{day[6:]}", "ms") + np.timedelta64(1, "D")
    year, day, hour = (int(part) for part in parts[-3:])
    start = np.datetime64(f"{year}-01-01", "ms") + np.timedelta64(day - 1, "D")
    return start + np.timedelta64(hour + 1, "h")


def _unreachable(what, error):
    """One sentence for what came of asking a bucket."""
    if isinstance(error, PermissionError | FileNotFoundError):
        return ConnectionError(f"{what} is closed or has moved: see NOAA's page on open data.")
    return ConnectionError(f"{what} cannot be reached: is there a network? What was fetched stays.")
