# Reference numbers for tests/against_r/test_two_groups.py: base R (stats) only.
# Run from this folder: Rscript two_groups.R > two_groups.json
num <- function(x) ifelse(is.na(x), "null", ifelse(is.infinite(x), ifelse(x > 0, "\"Inf\"", "\"-Inf\""), sprintf("%.17g", x)))
out <- list()
put <- function(name, ...) { v <- unlist(list(...)); out[[name]] <<- sprintf("\"%s\": {%s}", name,
  paste(sprintf("\"%s\": %s", names(v), num(v)), collapse = ", ")) }
ht <- function(name, h) put(name, statistic = unname(h$statistic[1]), p = h$p.value,
  df = if (is.null(h$parameter)) NA else unname(h$parameter[1]), df2 = if (length(h$parameter) > 1) unname(h$parameter[2]) else NA,
  low = if (is.null(h$conf.int)) NA else h$conf.int[1], high = if (is.null(h$conf.int)) NA else h$conf.int[2])

x <- c(61.2, 70.1, 55.9, 80.3, 66.6, 72.4, 59.0, 63.3, 75.8)
y <- c(58.4, 62.2, 49.7, 71.0, 60.5, 57.1, 66.9)
z <- c(74.2, 81.5, 69.9, 77.3, 68.8, 90.4)
xt <- c(1, 2, 2, 3, 5, 5, 5, 8, 9, 12); yt <- c(2, 2, 4, 5, 6, 9, 9, 10, 14, 15, 15); zt <- c(3, 5, 9, 9, 12, 16)
ht("welch", t.test(x, y)); ht("pooled", t.test(x, y, var.equal = TRUE))
ht("wilcox_exact", wilcox.test(x, y, exact = TRUE)); ht("wilcox_normal", wilcox.test(x, y, exact = FALSE))
ht("wilcox_plain", wilcox.test(x, y, exact = FALSE, correct = FALSE))
ht("wilcox_ties", wilcox.test(xt, yt, exact = FALSE)); ht("wilcox_ties_plain", wilcox.test(xt, yt, exact = FALSE, correct = FALSE))
ht("kruskal", kruskal.test(list(x, y, z))); ht("kruskal_ties", kruskal.test(list(xt, yt, zt)))
g <- factor(rep(1:3, c(length(x), length(y), length(z)))); v <- c(x, y, z)
ht("anova", oneway.test(v ~ g, var.equal = TRUE)); ht("welch_anova", oneway.test(v ~ g))
# Jonckheere-Terpstra with the normal approximation is Kendall's test of the values against the group
kt <- function(name, l) { h <- cor.test(unlist(l), rep(seq_along(l), lengths(l)), method = "kendall", exact = FALSE)
  put(name, z = unname(h$statistic), p = h$p.value) }
kt("jonckheere", list(x, y, z)); kt("jonckheere_ties", list(xt, yt, zt)); kt("jonckheere_two", list(xt, yt))
m <- matrix(c(43, 10, 36, 12), 2, byrow = TRUE); s <- matrix(c(3, 1, 1, 3), 2, byrow = TRUE); w <- matrix(c(12, 5, 2, 9), 2, byrow = TRUE)
for (n in c("m", "s", "w")) { t <- get(n)
  ht(paste0("pearson_", n), suppressWarnings(chisq.test(t, correct = FALSE))); ht(paste0("yates_", n), suppressWarnings(chisq.test(t)))
  f <- fisher.test(t); put(paste0("fisher_", n), p = f$p.value)
  # the limits and the estimate of fisher.test with tight root finding (its own uniroot stops at 1e-4)
  a <- t[1, 1]; n1 <- sum(t[1, ]); n0 <- sum(t[2, ]); k <- sum(t[, 1]); sup <- max(0, k - n0):min(n1, k)
  ld <- dhyper(sup, n1, n0, k, log = TRUE); d <- function(l) { e <- ld + l * sup; e <- exp(e - max(e)); e / sum(e) }
  root <- function(fun) uniroot(fun, c(-15, 15), tol = 1e-13)$root
  put(paste0("conditional_", n), estimate = root(function(l) sum(sup * d(l)) - a),
      low = root(function(l) sum(d(l)[sup >= a]) - 0.025), high = root(function(l) sum(d(l)[sup <= a]) - 0.025),
      r_estimate = unname(f$estimate), r_low = f$conf.int[1], r_high = f$conf.int[2]) }
job <- matrix(c(1, 2, 1, 0, 3, 3, 6, 1, 10, 10, 14, 9, 6, 7, 12, 11), 4, byrow = TRUE)
r33 <- matrix(c(4, 2, 1, 3, 0, 6, 1, 5, 5), 3, byrow = TRUE); r25 <- matrix(c(3, 7, 0, 5, 2, 8, 1, 4, 6, 11), 2, byrow = TRUE)
r34 <- matrix(c(9, 4, 2, 0, 3, 12, 8, 1, 0, 5, 5, 7), 3, byrow = TRUE)
put("fisher_job", p = fisher.test(job, workspace = 2e7)$p.value); put("fisher_r33", p = fisher.test(r33)$p.value)
put("fisher_r25", p = fisher.test(r25)$p.value); put("fisher_r34", p = fisher.test(r34, workspace = 2e7)$p.value)
ht("pearson_r34", suppressWarnings(chisq.test(r34)))
ht("trend", prop.trend.test(c(15, 10, 5, 9), c(30, 28, 25, 40))); ht("trend_scores", prop.trend.test(c(15, 10, 5, 9), c(30, 28, 25, 40), c(0, 1, 4, 9)))
for (e in list(c(0, 10), c(4, 10), c(10, 10), c(17, 250))) put(paste0("binom_", e[1], "_", e[2]),
  low = binom.test(e[1], e[2])$conf.int[1], high = binom.test(e[1], e[2])$conf.int[2],
  wilson_low = prop.test(e[1], e[2], correct = FALSE)$conf.int[1], wilson_high = prop.test(e[1], e[2], correct = FALSE)$conf.int[2])
ht("prop_m", prop.test(m[, 1], rowSums(m), correct = FALSE))
for (n in c("x", "xt", "y", "z")) for (k in c(2, 6, 7)) { q <- quantile(get(n), c(.25, .5, .75), type = k, names = FALSE)
  put(paste0("quantile_", n, "_", k), q1 = q[1], median = q[2], q3 = q[3]) }
cat("{\"made_with\": \"", R.version.string, ", package stats ", as.character(packageVersion("stats")), "\",\n", paste(out, collapse = ",\n"), "\n}\n", sep = "")
