import { byKeys } from "./list.js";

byKeys();
