"""Format and size of images, and Nova's rules for those of a training record (sources as in `dataset`)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from PIL import Image, UnidentifiedImageError

from idp_local.bedrock.foundation_models import FineTunableModel
from idp_local.bedrock.s3 import Location, parse_uri

MAXIMUM_BYTES = 10 * 1024 * 1024
MINIMUM_SIDE = 25

# botocore's S3Uri, its key with the characters that AWS's validator lets media have.
_URI = re.compile(r"s3://[a-z0-9][-.a-z0-9]{1,61}[a-z0-9](?:/[A-Za-z0-9_.-]+)+/?")
_LONGEST_URI = 1024
_ACCOUNT = re.compile(r"[0-9]{12}")

# Content that Nova does not train on, or not together with page images, and why.
_OTHER_CONTENT = {
    "video": "video cannot be in a data set of images",
    "document": "documents are not supported; send page images",
    "toolUse": "tool use is not supported in fine-tuning data",
    "toolResult": "tool use is not supported in fine-tuning data",
    "reasoningContent": "reasoning is not supported in a data set of images",
}

# Bedrock's names (botocore bedrock-runtime, ImageFormat) by Pillow's; MPO is the JPEG of some cameras.
_FORMAT = {"PNG": "png", "JPEG": "jpeg", "MPO": "jpeg", "GIF": "gif", "WEBP": "webp"}
_READERS = ("PNG", "JPEG", "GIF", "WEBP")


class ImageHeader(NamedTuple):
    """Format by Bedrock's name, sides in pixels."""

    format: str
    width: int
    height: int


def read_header(content: bytes) -> ImageHeader | None:
    """Read the header of an image file; None if it is no image that Nova takes."""
    try:
        with Image.open(io.BytesIO(content), formats=_READERS) as image:
            return ImageHeader(_FORMAT[image.format or ""], *image.size)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


class BrokenRule(Exception):
    """A rule that one record breaks; `dataset.check` adds file and line."""


Fetch = Callable[[Location], bytes | None]


def declared_image(block: dict[str, Any], role: str, model: FineTunableModel, bucket: str) -> tuple[str, Location]:
    """Return declared format and location of an image block; the image itself is not read.

    Raises BrokenRule.
    """
    if set(block) != {"image"}:
        kind = next(iter(block), "")
        raise BrokenRule(_OTHER_CONTENT.get(kind, "a content block is neither text nor image"))
    if role == "assistant":
        raise BrokenRule("an assistant message cannot hold an image")
    if not model.image_formats:
        raise BrokenRule(f"{model.name} takes text only, no image")
    image = block["image"]
    if not isinstance(image, dict) or set(image) != {"format", "source"}:
        raise BrokenRule("an image holds format and source, nothing else")
    if image["format"] not in model.image_formats:
        raise BrokenRule(f"image format must be one of {', '.join(model.image_formats)} for {model.name}")
    source = image["source"]
    found = source.get("s3Location") if isinstance(source, dict) and set(source) == {"s3Location"} else None
    if not isinstance(found, dict) or not isinstance(found.get("uri"), str) or set(found) - {"uri", "bucketOwner"}:
        raise BrokenRule("an image source must be an s3Location with a uri; inline bytes are not taken")
    if "bucketOwner" in found and not _ACCOUNT.fullmatch(str(found["bucketOwner"])):
        raise BrokenRule("bucketOwner must be an account id of 12 digits")
    if len(found["uri"]) > _LONGEST_URI or not _URI.fullmatch(found["uri"]):
        raise BrokenRule("an image uri must be s3://bucket/key, the key of letters, digits, _, -, / and . only")
    location = parse_uri(found["uri"])
    if location.bucket != bucket:
        raise BrokenRule(f"images must be in the same bucket as the data set, {bucket}")
    return str(image["format"]), location


def read_image(declared: str, location: Location, fetch: Fetch) -> bytes:
    """Return an image's content; raises BrokenRule if it is missing, too large, too small or of another format."""
    content = fetch(location)
    if content is None:
        raise BrokenRule(f"the image {location.key} does not exist or cannot be read")
    if len(content) > MAXIMUM_BYTES:
        raise BrokenRule(f"the image {location.key} is larger than 10 MB")
    header = read_header(content)
    if header is None or header.format != declared:
        found = "not an image" if header is None else header.format
        raise BrokenRule(f"the image {location.key} is declared as {declared} and is {found}")
    if min(header.width, header.height) < MINIMUM_SIDE:
        raise BrokenRule(f"the image {location.key} is smaller than {MINIMUM_SIDE} px a side")
    return content
