// What does a model make, in words and as a sign?
import { AudioLines, FileBox, Film, Image, Type, type LucideIcon } from "lucide-react";

import { Model_OutputKind } from "@/gen/mediagen/v1/model_pb";

interface Words {
  label: string;
  /** For a button: "Generate image". */
  makes: string;
  Icon: LucideIcon;
}

const WORDS: Readonly<Record<Model_OutputKind, Words>> = {
  [Model_OutputKind.UNSPECIFIED]: { label: "Files", makes: "", Icon: FileBox },
  [Model_OutputKind.IMAGE]: { label: "Image", makes: "image", Icon: Image },
  [Model_OutputKind.VIDEO]: { label: "Video", makes: "video", Icon: Film },
  [Model_OutputKind.AUDIO]: { label: "Audio", makes: "audio", Icon: AudioLines },
  [Model_OutputKind.TEXT]: { label: "Text", makes: "text", Icon: Type },
  [Model_OutputKind.OTHER]: { label: "Files", makes: "", Icon: FileBox },
};

/** Also of a kind that this page does not know yet. */
export function wordsOf(kind: Model_OutputKind): Words {
  return (WORDS as Partial<typeof WORDS>)[kind] ?? WORDS[Model_OutputKind.OTHER];
}
