import { useEffect, useRef } from "react";

/** Box's own ContentPreview, from the page's script of it, as a part of this React: `fileId`, `token`, and its options. */
export function ContentPreview({ fileId, token, ...options }) {
  const container = useRef(null);
  const preview = useRef(null);

  useEffect(() => {
    const shown = new window.Box.ContentPreview();
    preview.current = shown;
    return () => shown.hide();
  }, []);

  // After each render, so that changed properties get there; what is equal is drawn once.
  useEffect(() => {
    preview.current.show(fileId, token, { ...options, container: container.current });
  });

  return <div ref={container} className="content-preview" />;
}
