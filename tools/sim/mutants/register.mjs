// `--import` this with MILLRACE_MUTANT set: the built module that the mutant names is loaded with its change.
import { register } from "node:module";

register("./hook.mjs", import.meta.url, { data: process.env["MILLRACE_MUTANT"] });
