// `<box-preview>` in the JSX of React 19. Never run.
import { useRef } from "react";
import type { BoxPreviewElement, Keyhole } from "keyhole-client";
import type {} from "keyhole-client/react";

export function File({ id, keyhole }: { id: string; keyhole: Keyhole }) {
  const element = useRef<BoxPreviewElement>(null);
  return (
    <box-preview
      ref={element}
      className="preview"
      style={{ height: "100%" }}
      file={id}
      collection={["123", "124"]}
      header="none"
      showDownload
      options={{ viewers: {} }}
      keyhole={keyhole}
      onkeyhole-load={({ detail }) => console.log(detail.name)}
      onkeyhole-error={({ detail }) => console.log(detail.code)}
      onkeyhole-signin={(event) => event.preventDefault()}
    />
  );
}

export const mistakes = [
  // @ts-expect-error: an id is a text.
  <box-preview file={123} />,
  // @ts-expect-error: there is nothing of that name.
  <box-preview folder="0" />,
  // @ts-expect-error: nothing is loaded without being named.
  <box-preview onkeyhole-load={({ detail }) => console.log(detail.size)} />,
  // @ts-expect-error: there is no such element.
  <box-previews />,
];
