import { configure } from "keyhole-client";

configure({ origin: "https://YOUR-WORKER" });
