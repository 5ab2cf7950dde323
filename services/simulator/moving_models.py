"""Which models make films and sounds?"""

from simulator import model_fields as shared
from simulator.model import Model
from simulator.model_fields import SEED
from simulator.schemas import choice, flag, integer, number, text, uri

FPS = choice("fps", "Frame rate (frames per second)", (24,))
RESOLUTION = choice("resolution", "Video resolution", ("480p", "720p"), "720p")
SECONDS = choice("duration", "Video duration in seconds", (5, 10))

MOVING: tuple[Model, ...] = (
    Model(
        "bytedance/seedance-1-lite",
        "A video generation model that offers text-to-video and image-to-video support",
        (
            text("prompt", "Text prompt for video generation", required=True),
            uri("image", "Input image for image-to-video generation"),
            uri("last_frame_image", "Input image for the last frame, only with an image"),
            *(SECONDS, RESOLUTION, shared.FILM_RATIO, FPS),
            flag("camera_fixed", "Whether to fix camera position"),
            SEED,
        ),
        makes="film",
        cover="the ocean at dusk, waves",
        price=0.018,
        queue=1.0,
        run=9.0,
        steps=30,
    ),
    Model(
        "minimax/speech-02-turbo",
        "Text-to-speech with natural voices, emotions and more than 30 languages, made for speed",
        (
            text("text", "Text to convert to speech, at most 10,000 characters", required=True),
            choice("voice_id", "Desired voice", shared.VOICES, "Wise_Woman"),
            number("speed", "Speech speed", 1.0, 0.5, 2.0),
            number("volume", "Speech volume", 1.0, 0, 10),
            integer("pitch", "Speech pitch", 0, -12, 12),
            choice("emotion", "Speech emotion", shared.EMOTIONS),
            flag("english_normalization", "Read numbers in English text better, a little slower"),
            choice("sample_rate", "Sample rate of the sound", shared.SAMPLE_RATES, 32000),
            choice("bitrate", "Bitrate of the sound", (32000, 64000, 128000, 256000), 128000),
            choice("channel", "Number of channels", ("mono", "stereo")),
            choice("language_boost", "Recognise this language better", shared.LANGUAGES),
        ),
        makes="sound",
        cover="silk waves in neon colours",
        price=0.006,
        queue=0.4,
        run=2.0,
        steps=10,
    ),
)
