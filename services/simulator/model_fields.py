"""Which inputs do the image models share? Fields and value lists that several models have."""

from simulator.schemas import Field, choice, flag, integer, text, uri, uris

FLUX_RATIOS = (
    *("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4"),
    *("3:4", "4:3", "9:16", "9:21"),
)
IDEOGRAM_RATIOS = (
    *("1:1", "1:3", "3:1", "1:2", "2:1", "9:16", "16:9", "10:16"),
    *("16:10", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4"),
)
IMAGEN_RATIOS = ("1:1", "9:16", "16:9", "3:4", "4:3")
VOICES = (
    *("Wise_Woman", "Friendly_Person", "Inspirational_girl", "Deep_Voice_Man", "Calm_Woman"),
    *("Casual_Guy", "Lively_Girl", "Patient_Man", "Young_Knight", "Determined_Man"),
    *("Lovely_Girl", "Decent_Boy", "Imposing_Manner", "Elegant_Man", "Abbess"),
    *("Sweet_Girl_2", "Exuberant_Girl"),
)
EMOTIONS = ("auto", "neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
SAMPLE_RATES = (8000, 16000, 22050, 24000, 32000, 44100)
LANGUAGES = (
    *("None", "Automatic", "Chinese", "English", "Spanish", "French", "German", "Italian"),
    *("Japanese", "Korean", "Portuguese", "Russian", "Arabic", "Hindi"),
)
RECRAFT_SIZES = (
    *("1024x1024", "1365x1024", "1024x1365", "1536x1024", "1024x1536", "1820x1024", "1024x1820"),
    *("1024x2048", "2048x1024", "1434x1024", "1024x1434", "1024x1280", "1280x1024", "1024x1707"),
    "1707x1024",
)

PROMPT = text("prompt", "Prompt for generated image", required=True)
NEGATIVE = text("negative_prompt", "What you do not want to see", "")
SEED = integer("seed", "Random seed. Set for reproducible generation")
COUNT = integer("num_outputs", "Number of outputs to generate", 1, 1, 4)

RATIO = choice("aspect_ratio", "Aspect ratio for the generated image", FLUX_RATIOS)
PRO_RATIO = choice("aspect_ratio", "Aspect ratio", (*FLUX_RATIOS, "custom"))
MATCH_RATIO = choice("aspect_ratio", "Aspect ratio", ("match_input_image", *FLUX_RATIOS))
FILM_RATIO = choice(
    "aspect_ratio",
    "Video aspect ratio. Ignored if an image is used",
    ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9"),
)
PIXELS = choice("megapixels", "Approximate number of megapixels", ("1", "0.25"))

FORMAT = choice("output_format", "Format of the output images", ("webp", "jpg", "png"))
PHOTO = choice("output_format", "Format of the output images", ("jpg", "png"))
QUALITY = integer("output_quality", "Quality when saving the output images, 0 to 100", 80, 0, 100)

FAST = flag("go_fast", "Run faster predictions with a quantized model", True)
UNCHECKED = flag("disable_safety_checker", "Disable safety checker for generated images")
SAFETY = integer("safety_tolerance", "1 is most strict and 6 is most permissive", 2, 1, 6)
SAFETY_FILTER = choice(
    "safety_filter_level",
    "block_low_and_above is strictest",
    ("block_low_and_above", "block_medium_and_above", "block_only_high"),
    "block_only_high",
)
UPSAMPLING = flag("prompt_upsampling", "Modify the prompt for more creative generation")
IMAGE = uri("image", "Input image for image to image mode")
IMAGE_PROMPT = uri("image_prompt", "Image to use with FLUX Redux")
MASK = uri("mask", "Input mask for inpaint mode")
SCHEDULER = choice(
    "scheduler",
    "Scheduler",
    (
        *("DDIM", "DPMSolverMultistep", "HeunDiscrete", "KarrasDPM"),
        *("K_EULER_ANCESTRAL", "K_EULER", "PNDM"),
    ),
    "K_EULER",
)
REFINE = choice(
    "refine",
    "Which refine style to use",
    ("no_refiner", "expert_ensemble_refiner", "base_image_refiner"),
)


def custom_size(least: int, most: int, default: int | None = None) -> tuple[Field, Field]:
    """Width and height, which count only when the ratio or size says custom."""
    return (
        integer("width", "Width, only with custom", default, least, most),
        integer("height", "Height, only with custom", default, least, most),
    )


FLUX_2 = (
    PROMPT,
    uris("input_images", "Up to ten input images"),
    PRO_RATIO,
    choice("resolution", "Resolution in megapixels", ("1 MP", "0.5 MP", "2 MP", "4 MP")),
    *custom_size(256, 2048),
    *(SAFETY, SEED, FORMAT, QUALITY),
)
