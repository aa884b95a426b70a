import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { Keyhole } from "https://YOUR-WORKER/keyhole.js";
import { ContentPreview } from "./ContentPreview.jsx";

const keyhole = new Keyhole();
const root = document.getElementById("root");
const { file, ...hosts } = root.dataset;

function App() {
  const [isOpen, setOpen] = useState(true);
  const [name, setName] = useState("");
  return (
    <>
      <header>
        <button onClick={() => setOpen(!isOpen)}>{isOpen ? "Close" : "Open"}</button> <output>{name}</output>
      </header>
      {isOpen && <box-preview file={file} keyhole={keyhole} onkeyhole-load={({ detail }) => setName(detail.name)} />}
      {isOpen && <ContentPreview fileId={file} token={keyhole.token} previewLibraryVersion="3.81.0" {...hosts} />}
    </>
  );
}

createRoot(root).render(<StrictMode><App /></StrictMode>);
