"""Films the light of the sample account, frame by frame, as MP4 in fragments of one second with an index
in front: what a player can fetch piece by piece."""

from math import cos, pi, sin

import av
from pictures import Sheet, blend, island, sky, tower, waves

FRAMES_PER_SECOND = 8
SECONDS_OF_A_TURN = 8
LAMP = (206, 62)
# How colours are written, by its number in ITU-T H.273: what a player takes where nothing is said.
BT_709 = 1


def frame(turn):
    """The light when its lenses have turned by this part of a whole."""
    s = Sheet(320, 192, (20, 32, 62))
    sky(s, (18, 28, 60), (120, 92, 120), 136)
    for side in (0, pi):
        angle = 2 * pi * turn + side
        # A beam is long when it passes from left to right, and a spot when it looks at us.
        x, width = LAMP[0] + 330 * cos(angle), 6 + 22 * abs(sin(angle))
        veil = blend((52, 56, 84), (255, 236, 170), 0.5 + 0.5 * sin(angle))
        s.polygon([LAMP, (x, LAMP[1] - width), (x, LAMP[1] + width)], veil)
    s.disc(*LAMP, 5 + 9 * abs(sin(2 * pi * turn)), (255, 232, 160))
    waves(s, 136, (14, 34, 62), (84, 84, 112), 3)
    island(s, 140, 156, 120, 18, (40, 44, 52))
    tower(s, 206, 148, 80)
    return s.finish()


def the_turn(path):
    """One turn of the lens, and what a test can check."""
    frames = SECONDS_OF_A_TURN * FRAMES_PER_SECOND
    options = {"movflags": "cmaf+dash+global_sidx+frag_keyframe", "brand": "iso6"}
    with av.open(str(path), "w", format="mp4", options=options) as film:
        stream = film.add_stream("libvpx-vp9", rate=FRAMES_PER_SECOND)
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        stream.codec_context.colorspace = stream.codec_context.color_primaries = stream.codec_context.color_trc = BT_709
        # A key frame each second, and no frame that is only looked back at: each fragment stands for itself.
        second = str(FRAMES_PER_SECOND)
        stream.options = {"crf": "44", "b": "0", "g": second, "keyint_min": second, "auto-alt-ref": "0", "threads": "1"}
        for number in range(frames):
            picture = av.VideoFrame.from_image(frame(number / frames))
            film.mux(stream.encode(picture.reformat(format="yuv420p", dst_colorspace="ITU709")))
        film.mux(stream.encode())
    return {"seconds": SECONDS_OF_A_TURN, "probe": {"x": 206, "y": 106, "rgb": [200, 56, 44], "width": 320, "height": 192}}
