"""Named landmark sets of the 478-point mesh. Left and right are the performer's own.

Indices follow MediaPipe FaceMesh with refined lips, eyes and irises. In an unmirrored image the
performer's right side lies on the left.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from livefacs.arrays import I64

N_MESH: Final = 478
N_SKIN: Final = 468
"""Points of the skin; the rest are the irises."""

_FACEMESH: Final = "facemesh"


def is_same_mesh(backend: str, other: str) -> bool:
    """True where two landmark backends give the same points.

    FaceMesh run by MediaPipe's graph (``facemesh``, in older takes and profiles) and by LiteRT
    (``facemesh-litert``) differ by hundredths of a pixel, which is their rounding.
    """
    return backend == other or all(name.partition("-")[0] == _FACEMESH for name in (backend, other))


_PAIRS: Final = (
    "3-248 7-249 20-250 21-251 22-252 23-253 24-254 25-255 26-256 27-257 28-258 29-259 30-260 "
    "31-261 32-262 33-263 34-264 35-265 36-266 37-267 38-268 39-269 40-270 41-271 42-272 43-273 "
    "44-274 45-275 46-276 47-277 48-278 49-279 50-280 51-281 52-282 53-283 54-284 55-285 56-286 "
    "57-287 58-288 59-289 60-290 61-291 62-292 63-293 64-294 65-295 66-296 67-297 68-298 69-299 "
    "70-300 71-301 72-302 73-303 74-304 75-305 76-306 77-307 78-308 79-309 80-310 81-311 82-312 "
    "83-313 84-314 85-315 86-316 87-317 88-318 89-319 90-320 91-321 92-322 93-323 95-324 96-325 "
    "97-326 98-327 99-328 100-329 101-330 102-331 103-332 104-333 105-334 106-335 107-336 "
    "108-337 109-338 110-339 111-340 112-341 113-342 114-343 115-344 116-345 117-346 118-347 "
    "119-348 120-349 121-350 122-351 123-352 124-353 125-354 126-355 127-356 128-357 129-358 "
    "130-359 131-360 132-361 133-362 134-363 135-364 136-365 137-366 138-367 139-368 140-369 "
    "141-370 142-371 143-372 144-373 145-374 146-375 147-376 148-377 149-378 150-379 153-380 "
    "154-381 155-382 156-383 157-384 158-385 159-386 160-387 161-388 162-389 163-390 165-391 "
    "166-392 167-393 169-394 170-395 171-396 172-397 173-398 174-399 176-400 177-401 178-402 "
    "179-403 180-404 181-405 182-406 183-407 184-408 185-409 186-410 187-411 188-412 189-413 "
    "190-414 191-415 192-416 193-417 194-418 196-419 198-420 201-421 202-422 203-423 204-424 "
    "205-425 206-426 207-427 208-428 209-429 210-430 211-431 212-432 213-433 214-434 215-435 "
    "216-436 217-437 218-438 219-439 220-440 221-441 222-442 223-443 224-444 225-445 226-446 "
    "227-447 228-448 229-449 230-450 231-451 232-452 233-453 234-454 235-455 236-456 237-457 "
    "238-458 239-459 240-460 241-461 242-462 243-463 244-464 245-465 246-466 247-467 468-473 "
    "469-476 470-475 471-474 472-477 "
)
"""Right and left partner of each point that has one, by symmetry of the mean neutral face."""


def _mirror_order() -> I64:
    order = np.arange(N_MESH, dtype=np.int64)
    for pair in _PAIRS.split():
        right, left = (int(index) for index in pair.split("-"))
        order[right], order[left] = left, right
    order.setflags(write=False)
    return order


MIRROR_POINTS: Final = _mirror_order()
"""``mirrored = points[MIRROR_POINTS]``, then x negated."""


def partners(ids: tuple[int, ...]) -> tuple[int, ...]:
    """The same points on the other side."""
    return tuple(int(MIRROR_POINTS[i]) for i in ids)


LID_PAIRS_R: Final = ((159, 145), (158, 153), (160, 144))
"""Upper and lower lid margin, middle third; their mean distance is the lid gap."""
LID_PAIRS_L: Final = tuple((int(MIRROR_POINTS[a]), int(MIRROR_POINTS[b])) for a, b in LID_PAIRS_R)

LIP_PAIRS: Final = ((13, 14), (82, 87), (312, 317))
"""Upper and lower inner lip, middle third."""

EYE_R: Final = (468, 33, 133)
"""Iris centre, outer corner, inner corner."""
EYE_L: Final = (473, 263, 362)

OUTER_CORNERS: Final = (33, 263)
"""Their distance is the unit of length (outer-eye distance)."""

MOUTH_CORNER_R: Final = 61
MOUTH_CORNER_L: Final = 291
CHIN: Final = 152
FOREHEAD: Final = 10

FEATURE_POINTS: Final[tuple[int, ...]] = (
    0,
    1,
    2,
    4,
    5,
    6,
    8,
    9,
    10,
    13,
    14,
    17,
    18,
    23,
    24,
    33,
    36,
    37,
    39,
    40,
    46,
    48,
    50,
    52,
    53,
    54,
    55,
    58,
    61,
    63,
    64,
    65,
    66,
    67,
    70,
    78,
    80,
    81,
    82,
    84,
    87,
    88,
    91,
    93,
    98,
    101,
    103,
    105,
    107,
    109,
    110,
    117,
    118,
    119,
    123,
    127,
    129,
    132,
    133,
    136,
    138,
    143,
    144,
    145,
    146,
    148,
    149,
    150,
    151,
    152,
    153,
    154,
    157,
    158,
    159,
    160,
    161,
    162,
    163,
    164,
    168,
    172,
    175,
    176,
    178,
    181,
    182,
    187,
    194,
    195,
    197,
    199,
    200,
    201,
    203,
    205,
    206,
    207,
    210,
    215,
    216,
    217,
    227,
    229,
    230,
    231,
    253,
    254,
    263,
    266,
    267,
    269,
    270,
    276,
    278,
    280,
    282,
    283,
    284,
    285,
    288,
    291,
    293,
    294,
    295,
    296,
    297,
    300,
    308,
    310,
    311,
    312,
    314,
    317,
    318,
    321,
    323,
    327,
    330,
    332,
    334,
    336,
    338,
    339,
    346,
    347,
    348,
    352,
    356,
    358,
    361,
    362,
    365,
    367,
    372,
    373,
    374,
    375,
    377,
    378,
    379,
    380,
    381,
    384,
    385,
    386,
    387,
    388,
    389,
    390,
    397,
    400,
    402,
    405,
    406,
    411,
    418,
    421,
    423,
    425,
    426,
    427,
    430,
    435,
    436,
    437,
    447,
    449,
    450,
    451,
)
"""Points whose displacement is measured: every named group of the face, evened out over it."""

DLIB_68: Final = (
    *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),
    *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301),
    *(168, 197, 5, 4, 75, 97, 2, 326, 305),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87),
)
"""Mesh points nearest to the 68 of iBUG, as OpenFace writes them, from the right jaw on."""
