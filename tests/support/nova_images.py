"""Nova's rules for the images of a training record, Converse's limits included."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

# botocore's shape S3Uri of the service bedrock, and the pattern of AWS's own validator for keys of media.
_S3_URI = re.compile(r"s3://[a-z0-9][-.a-z0-9]{1,61}[a-z0-9](?:/[-!_*'().a-z0-9A-Z]+)*/?")
_MEDIA_KEY = re.compile(r"[\w\-/.]+", re.ASCII)
_OWNER = re.compile(r"\d{12}", re.ASCII)

_MOST_BYTES_TRAINING = 10_000_000
_MOST_BYTES_CONVERSE = 3_750_000
_SHORTEST_SIDE = 25
_LONGEST_SIDE_CONVERSE = 8_000


@dataclass(frozen=True)
class ImageRules:
    """Bucket and formats that are taken, and what was found out about each object so far."""

    bucket: str
    formats: tuple[str, ...]
    read_object: Callable[[str], bytes]
    known: dict[tuple[str, str], list[str]] = field(default_factory=dict)


def image_problems(image: Any, rules: ImageRules) -> Iterator[str]:
    """What is wrong with the value of an `image` block: its form, its address, and the picture that lies there."""
    if not isinstance(image, dict) or image.keys() != {"format", "source"}:
        yield "an image is not of exactly format and source"
        return
    if image["format"] not in rules.formats:
        yield f"image format {image['format']!r} is not one of {rules.formats}"
    source = image["source"]
    location = source.get("s3Location") if isinstance(source, dict) and len(source) == 1 else None
    if not isinstance(location, dict) or not isinstance(location.get("uri"), str):
        yield "an image's source is not an s3Location"
        return
    if location.keys() - {"uri", "bucketOwner"} or not _OWNER.fullmatch(str(location.get("bucketOwner", "0" * 12))):
        yield "an s3Location has more than a uri and the account of its owner"
    yield from _address_problems(location["uri"], rules.bucket)
    bucket, _, key = location["uri"].removeprefix("s3://").partition("/")
    if bucket == rules.bucket and key and isinstance(image["format"], str):
        if (key, image["format"]) not in rules.known:
            rules.known[key, image["format"]] = list(_picture_problems(key, image["format"], rules))
        yield from rules.known[key, image["format"]]


def _address_problems(uri: str, bucket: str) -> Iterator[str]:
    if len(uri) > 1_024 or not _S3_URI.fullmatch(uri):
        yield f"{uri[:80]!r} is not an S3 URI that Bedrock takes"
    found, _, key = uri.removeprefix("s3://").partition("/")
    if found != bucket:
        yield f"an image lies in bucket {found!r}, not beside the file in {bucket!r}"
    if not _MEDIA_KEY.fullmatch(key):
        yield f"key {key[:80]!r} has characters that media may not have"


def _picture_problems(key: str, declared: str, rules: ImageRules) -> Iterator[str]:
    try:
        content = rules.read_object(key)
    except Exception as error:  # any reader, any way to fail: the object cannot be had
        yield f"object {key!r} cannot be read ({type(error).__name__})"
        return
    if len(content) > _MOST_BYTES_TRAINING:
        yield f"image of {len(content)} bytes, training takes {_MOST_BYTES_TRAINING}"
    if len(content) > _MOST_BYTES_CONVERSE:
        yield f"image of {len(content)} bytes, Converse takes {_MOST_BYTES_CONVERSE}"
    try:
        with Image.open(io.BytesIO(content)) as picture:
            found, size = str(picture.format).lower(), picture.size
            picture.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        yield f"object {key!r} is no readable image ({type(error).__name__})"
        return
    if found != declared:
        yield f"object {key!r} is {found}, not {declared}"
    if min(size) < _SHORTEST_SIDE:
        yield f"image of {size[0]} by {size[1]} pixels, a side has at least {_SHORTEST_SIDE}"
    if max(size) > _LONGEST_SIDE_CONVERSE:
        yield f"image of {size[0]} by {size[1]} pixels, Converse takes {_LONGEST_SIDE_CONVERSE} a side"
