/** Records an engine emission (a firing window, a batch result) may send before it lets the task look at its mailbox and inputs again. */
export const EMISSION_BUDGET = 8192;
