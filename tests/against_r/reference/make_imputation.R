# Pooled results of mice with many imputations, so that little is left of its own Monte Carlo error.
# Rscript make_imputation.R > imputation.json
suppressMessages(library(mice))
pooled <- function(imp, outcome, terms) {
  fits <- lapply(seq_len(imp$m), function(i) lm(reformulate(terms, outcome), data = complete(imp, i)))
  q <- sapply(fits, coef); u <- sapply(fits, function(f) diag(vcov(f)))
  rows <- sprintf('{"term": "%s", "estimate": %.17g, "within": %.17g, "between": %.17g}',
                  rownames(q), rowMeans(q), rowMeans(u), apply(q, 1, var))
  sprintf('"%s": [%s]', outcome, paste(rows, collapse = ", "))
}
study <- function(name, data) {
  imp <- mice(data, m = 1000, maxit = 20, seed = 2026, print = FALSE)
  sprintf('"%s": {%s, %s}', name, pooled(imp, "chl", c("age", "bmi")), pooled(imp, "bmi", c("age", "chl")))
}
cat(sprintf('{"R": "%s", "mice": "%s", "m": 1000,\n%s,\n%s}\n', getRversion(), packageVersion("mice"),
            study("nhanes", nhanes), study("nhanes2", nhanes2)))
