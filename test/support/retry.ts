// These tests race real servers and processes. On a shared CI machine a stall of seconds can fail one for no fault of
// the code, so there a test counts as failed when it fails twice; the first failure is printed.
if (process.env['CI'] !== undefined) jest.retryTimes(1, { logErrorsBeforeRetry: true });
