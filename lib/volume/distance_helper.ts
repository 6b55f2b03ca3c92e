/** The program of a thread that helps with distance transforms. */
import { workerData } from "node:worker_threads";
import { help } from "./distance_team.ts";

help(workerData.memory, workerData.helper);
