// Stands in for the module that only AppSync's runtime has; `util.error` ends the handler as it does there.
export const util = {
  error(message, errorType) {
    throw Object.assign(new Error(message), { errorType });
  },
};
