// az deployment sub create --location westeurope --template-file container-apps-job.bicep --parameters image=... environmentId=... resourceGroupName=...
targetScope = 'subscription'

@description('The image that the Containerfile makes, in a registry that the environment can read.')
param image string
@description('The id of a Container Apps environment.')
param environmentId string
@description('The group that the identity and the job are made in.')
param resourceGroupName string
param location string = deployment().location
@description('When it runs, in UTC.')
param cronExpression string = '*/15 * * * *'

var readerRole = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'acdd72a7-3385-48ef-bd42-f606fba81ae7')

module job 'container-apps-job-resources.bicep' = {
  name: 'vmdiag-job'
  scope: resourceGroup(resourceGroupName)
  params: {
    image: image
    environmentId: environmentId
    location: location
    cronExpression: cronExpression
    subscriptionId: subscription().subscriptionId
  }
}

// Reads everything in the subscription, and changes nothing.
resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, resourceGroupName, 'vmdiag', readerRole)
  properties: {
    principalId: job.outputs.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: readerRole
  }
}
