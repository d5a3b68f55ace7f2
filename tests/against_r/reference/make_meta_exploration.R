# Makes reference/meta_exploration.json: robust variances, Henmi-Copas, excess significance, subgroups by metafor, clubSandwich and robumeta.
# Run from the root of the repository: Rscript tests/against_r/reference/make_meta_exploration.R
suppressPackageStartupMessages({library(metafor); library(metadat); library(clubSandwich); library(robumeta); library(jsonlite)})
n <- function(x) unname(as.numeric(x))
tight <- list(threshold = 1e-11, maxiter = 5000, tol = 1e-13)
tight_mv <- list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-15, maxit = 5000)
rows <- function(test) list(se = n(test$SE), t = n(test$tstat), df = n(test$df_Satt), p = n(test$p_Satt))

sets <- list(
  bcg_RR = escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg),
  hackshaw1998 = dat.hackshaw1998,
  li2007_OR = escalc(measure = "OR", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = dat.li2007),
  bangertdrowns2004 = dat.bangertdrowns2004)
hc_tight <- lapply(sets, function(d) {
  h <- hc(rma(n(d$yi), n(d$vi), method = "DL"), control = list(tol = 1e-13, maxiter = 5000))
  list(b = n(h$beta), se = n(h$se), ci_lb = n(h$ci.lb), ci_ub = n(h$ci.ub))})
tes_all <- lapply(sets, function(d) lapply(c(exact = "exact", chi2 = "chi2"), function(kind) if (kind == "exact" && nrow(d) > 22) NULL else {
  t <- tes(n(d$yi), n(d$vi), test = kind, find.lim = FALSE); list(O = t$O, E = t$E, p = t$pval)}))

# dependent effects: 56 schools in 11 districts
k <- dat.konstantopoulos2011; k$year <- k$year - 1980; y <- n(k$yi); v <- n(k$vi); year <- n(k$year)
one <- rma(y, v, control = tight); two <- rma(y, v, mods = ~ year, control = tight)
independent <- lapply(list(intercept = one, year = two), function(fit) {
  CR1 <- robust(fit, cluster = k$district); CR2 <- coef_test(fit, vcov = "CR2", cluster = k$district)
  f <- if (fit$p > 1) Wald_test(fit, constraints = constrain_zero(2:fit$p), vcov = "CR2", cluster = k$district) else NULL
  list(b = n(fit$beta), tau2 = fit$tau2, CR1 = list(se = n(CR1$se), t = n(CR1$zval), df = n(CR1$dfs), p = n(CR1$pval)), CR2 = rows(CR2))})
nested <- lapply(c(0, 0.6), function(rho) {
  V <- impute_covariance_matrix(v, cluster = k$district, r = rho)
  lapply(list(intercept = ~ 1, year = ~ year), function(f) {
    fit <- rma.mv(y, V, mods = f, random = ~ 1 | district/school, data = k, sparse = FALSE, control = tight_mv)
    CR1 <- coef_test(fit, vcov = "CR1p", cluster = k$district, test = "naive-t")
    list(rho = rho, b = n(fit$beta), tau2 = fit$sigma2[1], omega2 = fit$sigma2[2], loglik = n(logLik(fit)), CR1 = list(se = n(CR1$SE)),
         CR2 = rows(coef_test(fit, vcov = "CR2", cluster = k$district)))})})
correlated <- lapply(list(intercept = y ~ 1, year = y ~ year), function(f) {
  fit <- robu(f, data = data.frame(k, y, v), studynum = district, var.eff.size = v, rho = 0.8, modelweights = "CORR", small = TRUE)
  r <- fit$reg_table
  list(rho = 0.8, b = n(r$b.r), tau2 = n(fit$mod_info$tau.sq), se = n(r$SE), t = n(r$t), df = n(r$dfs), p = n(r$prob))})

# subgroups of the BCG trials by allocation
b <- sets$bcg_RR
by <- lapply(split(seq_len(nrow(b)), b$alloc), function(i) { f <- rma(n(b$yi[i]), n(b$vi[i]), control = tight); list(k = f$k, b = n(f$beta), se = f$se, tau2 = f$tau2, QE = f$QE)})
est <- sapply(by, function(g) g$b); se <- sapply(by, function(g) g$se)
between <- rma(est, sei = se, method = "EE")
common <- lapply(c(z = "z", knha = "knha"), function(t) { f <- rma(n(yi), n(vi), mods = ~ alloc, data = b, test = t, control = tight); list(QM = f$QM, p = f$QMp, df = n(f$QMdf), tau2 = f$tau2) })

# influence of the BCG trials on a regression on latitude, and their Baujat plot
latitude <- rma(n(yi), n(vi), mods = ~ ablat, data = b, control = tight); i <- influence(latitude)
influence_mods <- c(lapply(as.list(as.data.frame(i$inf)[c("rstudent", "dffits", "cook.d", "cov.r", "tau2.del", "QE.del", "hat", "weight")]), n),
                    list(dfbs = lapply(1:2, function(j) n(i$dfbs[[j]])), is_infl = as.logical(i$is.infl), rstandard = n(rstandard(latitude)$z)))
pdf(NULL); baujat_xy <- lapply(list(EE = rma(n(b$yi), n(b$vi), method = "EE"), DL = rma(n(b$yi), n(b$vi), method = "DL")), function(f) { p <- baujat(f); list(x = n(p$x), y = n(p$y)) })

writeLines(toJSON(list(
  made_with = list(R = R.version.string, metafor = as.character(packageVersion("metafor")), clubSandwich = as.character(packageVersion("clubSandwich")),
                   robumeta = as.character(packageVersion("robumeta")), metadat = as.character(packageVersion("metadat"))),
  inputs = lapply(sets, function(d) list(yi = n(d$yi), vi = n(d$vi))), allocation = as.character(b$alloc),
  hc = hc_tight, tes = tes_all,
  schools = list(yi = y, vi = v, year = year, district = n(k$district)), independent = independent, nested = unlist(nested, recursive = FALSE), correlated = correlated,
  latitude = n(b$ablat), influence_mods = influence_mods, baujat = baujat_xy,
  subgroups = list(separate = list(groups = by, Q = between$QE, p = between$QEp), common = common)),
  digits = NA, auto_unbox = TRUE, na = "null", null = "null"), "tests/against_r/reference/meta_exploration.json")
