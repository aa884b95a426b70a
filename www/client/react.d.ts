// `<box-preview>` in the JSX of React 19. Types alone, and nothing to load: `import type {} from "keyhole-client/react"`.

import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { BoxPreviewElement, BoxPreviewEventMap } from "./keyhole.js";

/** What can be said of the element: its own properties, and `on` before the name of an event. */
type Own = Partial<Omit<BoxPreviewElement, keyof HTMLElement>> & {
  [Type in keyof BoxPreviewEventMap as `on${Type}`]?: (event: BoxPreviewEventMap[Type]) => void;
};

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "box-preview": DetailedHTMLProps<HTMLAttributes<BoxPreviewElement>, BoxPreviewElement> & Own;
    }
  }
}
