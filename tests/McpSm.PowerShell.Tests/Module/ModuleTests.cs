using System.Management.Automation;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.Loader;
using McpSm.PowerShell.Tests.Support;
using Xunit;

namespace McpSm.PowerShell.Tests.Module;

[Collection(SerialCollection.Name)]
public sealed class ModuleTests
{
    [Fact]
    public void What_is_exported_is_what_the_manifest_says_and_nothing_else()
    {
        using var session = new ModuleSession();
        var manifest = session.Run("Test-ModuleManifest $args[0]", ModuleSession.Module)[0];
        var said = ((IDictionary<string, CmdletInfo>)manifest.Properties["ExportedCmdlets"].Value).Keys.Order();
        Assert.Equal(said, session.Run("(Get-Module Mcpsm).ExportedCmdlets.Keys").Select(o => o.ToString()).Order());
        Assert.Equal("Invoke-Mcpsm", session.Text("(Get-Module Mcpsm).ExportedFunctions.Keys"));
        Assert.Equal("mcpsm", session.Text("(Get-Module Mcpsm).ExportedAliases.Keys"));
    }

    [Fact]
    public void It_survives_being_imported_again_and_removed()
    {
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api https://a.example/mcp");
        Assert.Equal("my-api", session.Text("Import-Module $args[0] -Force; (Get-McpServer).Name", ModuleSession.Module));
        Assert.Equal("my-api", session.Text("Remove-Module Mcpsm; Import-Module $args[0]; (Get-McpServer my*).Name", ModuleSession.Module));
        Assert.Equal("my-api", session.Text("(mcpsm list --json | Where-Object { $_ -match '\"name\"' }) -replace '.*: \"|\",',''"));
    }

    [Fact]
    public void Its_commands_find_it_by_themselves_where_it_is_on_the_module_path()
    {
        using var session = new ModuleSession();
        var folder = Path.GetDirectoryName(ModuleSession.Module)!;
        session.Run("Remove-Module Mcpsm; $env:PSModulePath = $args[0]", Path.GetFullPath(Path.Combine(folder, "..", "..")));
        Assert.Equal("[]", session.Text("mcpsm auth status --json"));
        Assert.Equal(folder, session.Text("(Get-Module Mcpsm).ModuleBase"));
    }

    [Fact]
    public void Its_version_is_that_of_its_folder_and_of_what_it_runs()
    {
        using var session = new ModuleSession();
        var version = session.Text("(Get-Module Mcpsm).Version");
        Assert.Equal(Path.GetFileName(Path.GetDirectoryName(ModuleSession.Module)), version);
        var prerelease = session.Text("(Get-Module Mcpsm).PrivateData.PSData.Prerelease");
        Assert.Equal(prerelease == "" ? version : $"{version}-{prerelease}", session.Text("mcpsm --version"));
    }

    /// <summary>The module must not depend on assemblies of the session: docs/adr/0004-module-load-context.md.</summary>
    [Fact]
    public void The_cmdlets_name_no_assembly_but_the_engine_the_framework_and_ours()
    {
        using var file = new PEReader(File.OpenRead(Path.Combine(Path.GetDirectoryName(ModuleSession.Module)!, "McpSm.PowerShell.dll")));
        var metadata = file.GetMetadataReader();
        var foreign = metadata.AssemblyReferences.Select(r => metadata.GetString(metadata.GetAssemblyReference(r).Name))
            .Where(n => n is not ("McpSm.Core" or "McpSm.Commands") && !n.StartsWith("System.", StringComparison.Ordinal));
        Assert.Empty(foreign);
    }

    [Fact]
    public void What_the_cmdlets_depend_on_stays_in_a_context_of_its_own()
    {
        using var session = new ModuleSession();
        session.Run("Get-McpAuthStatus");
        var contexts = AssemblyLoadContext.All.SelectMany(c => c.Assemblies.Select(a => (Context: c.Name, a.GetName().Name))).ToList();
        Assert.Equal("Mcpsm", Assert.Single(contexts, c => c.Name == "McpSm.Core").Context);
        Assert.DoesNotContain(contexts, c => c.Name is "Duende.IdentityModel" && c.Context != "Mcpsm");
    }
}
