# The variance between studies of three networks by rma.mv: all contrasts against the first arm of each study with their
# sampling covariance, and a between-study correlation of 0.5. Run from the root of the repository: Rscript tests/against_r/reference/make_meta_network.R
suppressMessages({library(metafor); library(metadat); library(jsonlite)})

contrasts_of <- function(arms) {
  do.call(rbind, lapply(split(arms, arms$study), function(s) data.frame(
    study=s$study[1], t1=s$trt[1], t2=s$trt[-1], yi=s$y[-1] - s$y[1], base=s$v[1], own=s$v[-1])))
}
log_odds <- function(study, trt, a, n) {
  z <- ave(a == 0 | a == n, study, FUN=any); z <- as.numeric(z > 0) * .5
  data.frame(study=as.character(study), trt=as.character(trt), y=log((a + z) / (n - a + z)), v=1 / (a + z) + 1 / (n - a + z))
}
fit <- function(arms, method) {
  d <- contrasts_of(arms)
  V <- outer(d$study, d$study, "==") * d$base; diag(V) <- d$base + d$own
  trt <- sort(unique(c(d$t1, d$t2)))[-1]
  X <- sapply(trt, function(t) (d$t2 == t) - (d$t1 == t))
  d$id <- ave(seq_along(d$study), d$study, FUN=seq_along)
  r <- suppressWarnings(rma.mv(yi, V, mods=X, intercept=FALSE, random=~factor(id)|study, struct="CS", rho=.5, data=d, method=method,
              control=list(optimizer="optim", optmethod="Nelder-Mead", reltol=1e-15, maxit=5000)))
  list(tau2=r$tau2, effects=as.list(setNames(as.numeric(r$beta), trt)), std_errors=as.list(setNames(r$se, trt)), first=sort(unique(c(d$t1, d$t2)))[1])
}
h <- dat.hasselblad1998; g <- subset(dat.dogliotti2014, study != "WASPO, 2007"); s <- dat.senn2013
arms <- list(
  senn2013=data.frame(study=as.character(s$study), trt=as.character(s$treatment), y=s$mi, v=s$sdi^2 / s$ni),
  hasselblad1998=log_odds(h$study, h$trt, h$xi, h$ni),
  dogliotti2014=log_odds(g$study, g$treatment, g$stroke, g$total))
out <- lapply(arms, function(a) list(REML=fit(a, "REML"), ML=fit(a, "ML")))
out$versions <- list(metafor=as.character(packageVersion("metafor")), metadat=as.character(packageVersion("metadat")), R=as.character(getRversion()))
write(toJSON(out, digits=17, auto_unbox=TRUE, pretty=TRUE), "tests/against_r/reference/meta_network_rma_mv.json")
