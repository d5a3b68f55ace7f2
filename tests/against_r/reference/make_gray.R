# Makes reference/gray.json: Gray's test by cmprsk.
# Run from the root of the repository: Rscript tests/against_r/reference/make_gray.R
suppressMessages({library(jsonlite); library(survival); library(cmprsk)})
set.seed(99)
tests <- function(...) {
  found <- tryCatch(cuminc(...)$Tests, error = function(e) NULL)  # it stops where a variance is not a number
  lapply(seq_len(NROW(found)), function(k) list(cause = as.integer(rownames(found)[k]), statistic = found[k, "stat"],
                                                p_value = found[k, "pv"], df = found[k, "df"]))
}
small <- lapply(1:60, function(i) {
  n <- sample(c(4, 6, 10, 20, 40), 1); k <- sample(2:4, 1)
  d <- list(time = sample(1:sample(c(3, 8, 30), 1), n, TRUE), cause = sample(0:2, n, TRUE), g = sample(letters[1:k], n, TRUE),
            s = sample(c("u", "v"), n, TRUE))
  rho <- sample(c(0, 1, 0.5), 1)
  list(data = d, rho = rho, plain = tests(d$time, d$cause, d$g, rho = rho),
       stratified = tests(d$time, d$cause, d$g, strata = d$s, rho = rho))
})
n <- 400
g <- sample(c("a", "b", "c"), n, TRUE, prob = c(5, 3, 1)); s <- sample(1:2, n, TRUE)
first <- rexp(n, c(a = 0.1, b = 0.16, c = 0.1)[g]); second <- rexp(n, c(a = 0.05, b = 0.3, c = 0.1)[g]); third <- rexp(n, 0.03)
censor <- runif(n, 0, c(a = 10, b = 25, c = 15)[g])
ends <- cbind(censor, first, second, third)
large <- list(time = unname(ceiling(2 * do.call(pmin, as.data.frame(ends))) / 2), cause = unname(max.col(-ends) - 1), g = g, s = s)
by_rho <- lapply(c(0, 0.5, 1, 2), function(rho) list(
  rho = rho, plain = tests(large$time, large$cause, large$g, rho = rho),
  stratified = tests(large$time, large$cause, large$g, strata = large$s, rho = rho)))
m <- mgus2
m$t <- with(m, ifelse(pstat == 0, futime, ptime)); m$cause <- with(m, ifelse(pstat == 0, 2 * death, 1))
tr <- transplant
codes <- match(tr$event, c("death", "ltx", "withdraw"), nomatch = 0)
known <- !is.na(tr$age)
out <- list(
  versions = list(R = R.version.string, survival = as.character(packageVersion("survival")),
                  cmprsk = as.character(packageVersion("cmprsk"))),
  small = small, large = list(data = large, tests = by_rho),
  mgus2 = list(sex = tests(m$t, m$cause, m$sex), by_decade = tests(m$t, m$cause, m$sex, strata = m$dxyr < 1980)),
  transplant = list(sex = tests(tr$futime, codes, tr$sex), abo = tests(tr$futime, codes, tr$abo),
                    abo_by_sex = tests(tr$futime, codes, tr$abo, strata = tr$sex, rho = 1))
)
writeLines(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "null"), "tests/against_r/reference/gray.json")
