"""Which models are there? The common models of Replicate, with their inputs and prices."""

from simulator import model_fields as shared
from simulator.model import Model
from simulator.model_fields import COUNT, FORMAT, IMAGE, NEGATIVE, PROMPT, QUALITY, RATIO, SEED
from simulator.moving_models import MOVING
from simulator.schemas import choice, flag, integer, number, uri, uris

SDXL_VERSIONS = (
    "7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc",  # pragma: allowlist secret
    "39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b",  # pragma: allowlist secret
)

PICTURES: tuple[Model, ...] = (
    Model(
        "black-forest-labs/flux-schnell",
        "The fastest image generation model of the FLUX family",
        (
            *(PROMPT, RATIO, COUNT),
            integer("num_inference_steps", "Number of denoising steps", 4, 1, 4),
            *(SEED, FORMAT, QUALITY, shared.UNCHECKED, shared.PIXELS, shared.FAST),
        ),
        cover="abstract silk waves in sunset orange",
        price=0.003,
        run=2.5,
        steps=4,
        many=True,
    ),
    Model(
        "black-forest-labs/flux-dev",
        "A 12 billion parameter rectified flow transformer",
        (
            *(PROMPT, RATIO, COUNT, IMAGE),
            number("prompt_strength", "Prompt strength when using img2img", 0.8, 0, 1),
            integer("num_inference_steps", "Number of denoising steps", 28, 1, 50),
            number("guidance", "Guidance for generated image", 3, 0, 10),
            *(SEED, FORMAT, QUALITY, shared.UNCHECKED, shared.PIXELS, shared.FAST),
        ),
        cover="a quiet forest at dawn",
        price=0.025,
        many=True,
    ),
    Model(
        "black-forest-labs/flux-1.1-pro",
        "Faster, better FLUX Pro",
        (
            *(PROMPT, shared.IMAGE_PROMPT, shared.PRO_RATIO),
            *shared.custom_size(256, 1440),
            *(shared.SAFETY, SEED, shared.UPSAMPLING, FORMAT, QUALITY),
        ),
        cover="mountain peaks at sunset",
        price=0.04,
    ),
    Model(
        "black-forest-labs/flux-1.1-pro-ultra",
        "FLUX1.1 pro in ultra and raw modes",
        (
            *(PROMPT, shared.IMAGE_PROMPT, RATIO),
            number("image_prompt_strength", "Blend between prompt and image", 0.1, 0, 1),
            flag("raw", "Generate less processed, more natural-looking images"),
            *(shared.SAFETY, SEED, shared.PHOTO),
        ),
        cover="northern lights over a winter mountain",
        price=0.06,
        run=7.0,
    ),
    Model(
        "black-forest-labs/flux-kontext-pro",
        "Text-based image editing",
        (
            *(PROMPT, uri("input_image", "Image to use as reference"), shared.MATCH_RATIO),
            integer("safety_tolerance", "0 is most strict, 6 most permissive", 2, 0, 6),
            *(shared.UPSAMPLING, SEED, choice("output_format", "Output format", ("png", "jpg"))),
        ),
        cover="geometric print, autumn colours",
        price=0.04,
        run=5.0,
    ),
    Model(
        "black-forest-labs/flux-2-pro",
        "High-quality image generation and editing",
        shared.FLUX_2,
        cover="a planet of the galaxy",
        price=0.05,
        run=6.0,
    ),
    Model(
        "black-forest-labs/flux-2-flex",
        "FLUX.2 with control over steps and guidance",
        shared.FLUX_2,
        cover="bokeh orbs in neon purple",
        price=0.06,
        run=8.0,
    ),
    Model(
        "black-forest-labs/flux-2-max",
        "The highest fidelity of FLUX.2",
        shared.FLUX_2,
        cover="desert dunes under a clear sky",
        price=0.08,
        run=9.0,
    ),
    Model(
        "stability-ai/stable-diffusion-3",
        "Text-to-image with improved typography and complex prompts",
        (
            *(PROMPT, NEGATIVE, IMAGE, RATIO, COUNT),
            number("guidance_scale", "How closely to follow the prompt", 4.5, 0, 20),
            *(SEED, FORMAT, QUALITY),
        ),
        cover="a sailboat on the sea at sunset",
        price=0.035,
        run=3.5,
        many=True,
    ),
    Model(
        "stability-ai/stable-diffusion-3.5-large",
        "High-resolution images with fine detail",
        (
            *(PROMPT, NEGATIVE, number("cfg", "How closely to follow the prompt", 5, 0, 10)),
            number("prompt_strength", "Strength when using img2img", 0.85, 0, 1),
            *(IMAGE, RATIO, SEED, FORMAT),
        ),
        cover="an autumn forest",
        price=0.065,
        run=5.0,
        steps=35,
        many=True,
    ),
    Model(
        "stability-ai/sdxl",
        "A text-to-image model that creates beautiful images (a community model: pin a version)",
        (
            *(PROMPT, NEGATIVE, IMAGE, shared.MASK),
            integer("width", "Width of output image", 1024, 64, 2048),
            integer("height", "Height of output image", 1024, 64, 2048),
            *(COUNT, shared.SCHEDULER),
            integer("num_inference_steps", "Number of denoising steps", 50, 1, 500),
            number("guidance_scale", "Scale for classifier-free guidance", 7.5, 1, 50),
            number("prompt_strength", "Prompt strength for img2img", 0.8, 0, 1),
            *(SEED, shared.REFINE, flag("apply_watermark", "Applies a watermark", True)),
            shared.UNCHECKED,
        ),
        cover="city skyline at night",
        price=0.000975,
        queue=2.0,
        run=4.5,
        steps=50,
        many=True,
        official=False,
        versions=SDXL_VERSIONS,
    ),
    Model(
        "ideogram-ai/ideogram-v3-turbo",
        "The fastest and cheapest Ideogram v3",
        (
            *(PROMPT, choice("aspect_ratio", "Aspect ratio", shared.IDEOGRAM_RATIOS)),
            choice("resolution", "Overrides aspect ratio", ("None", "1024x1024", "1312x736")),
            choice("magic_prompt_option", "Improves your prompt", ("Auto", "On", "Off")),
            *(IMAGE, shared.MASK),
            choice("style_type", "Style", ("None", "Auto", "General", "Realistic", "Design")),
            uris("style_reference_images", "Images to use as style references"),
            integer("seed", "Random seed", None, 0, 2147483647),
        ),
        cover="geometric poster, spring pink",
        price=0.03,
        run=5.0,
    ),
    Model(
        "recraft-ai/recraft-v3",
        "Text-to-image with long texts and many styles",
        (
            *(PROMPT, choice("size", "Width and height", shared.RECRAFT_SIZES)),
            choice("aspect_ratio", "Overrides size", ("Not set", *shared.IDEOGRAM_RATIOS)),
            choice("style", "Style", ("any", "realistic_image", "digital_illustration")),
        ),
        cover="geometric pattern of a summer day",
        price=0.04,
        run=6.0,
    ),
    Model(
        "google/imagen-4-fast",
        "The fast version of Imagen 4",
        (
            *(PROMPT, choice("aspect_ratio", "Aspect ratio", shared.IMAGEN_RATIOS)),
            *(shared.PHOTO, shared.SAFETY_FILTER),
        ),
        cover="a lake on a summer day",
        price=0.02,
        run=3.0,
    ),
    Model(
        "bytedance/seedream-4",
        "Text-to-image and editing up to 4K",
        (
            *(PROMPT, uris("image_input", "Input images")),
            choice("size", "Image resolution", ("1K", "2K", "4K", "custom"), "2K"),
            shared.MATCH_RATIO,
            *shared.custom_size(1024, 4096, 2048),
            choice("sequential_image_generation", "Groups of images", ("disabled", "auto")),
            integer("max_images", "Most images in a group", 1, 1, 15),
            flag("enhance_prompt", "Enhance the prompt", True),
        ),
        cover="silk waves in the colours of spring",
        price=0.03,
        run=7.0,
        many=True,
    ),
)

MODELS: tuple[Model, ...] = (*PICTURES, *MOVING)
BY_SLUG: dict[str, Model] = {model.slug: model for model in MODELS}
